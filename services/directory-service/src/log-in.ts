import type { TokenIssuer } from '@bambochat/auth';
import { AppError, type Login, type LoginAnswer, userIdSchema } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';
import type { Passwords } from './hash-password.ts';
import type { AttemptLimits } from './limit-attempts.ts';
import { openSession } from './open-session.ts';

/**
 * Unknown id and wrong password take the same path: one hash of the same cost, one count, one
 * answer. @throws AppError `AUTH_INVALID`, `RATE_LIMITED`, `OVERLOADED`, `UNAVAILABLE`
 */
export async function logIn(
  deps: {
    directoryStore: DirectoryStore;
    passwords: Passwords;
    limits: AttemptLimits;
    issuer: TokenIssuer;
  },
  { id, password }: Login,
): Promise<LoginAnswer> {
  const { directoryStore, passwords, limits } = deps;
  await limits.admitLogin(id);
  const userId = userIdSchema.safeParse(id);
  const account = userId.success ? await directoryStore.account(userId.data) : null;

  const right = await passwords.inTurn(async () => {
    // Again: many that were sent at once were all admitted before the first of them failed.
    await limits.admitLogin(id);
    const matches = await passwords.verify(password, account?.passwordHash ?? null);
    if (!matches) {
      await limits.countFailure(id);
    }
    return matches;
  });
  if (!right || account === null) {
    throw new AppError('AUTH_INVALID', 'Wrong id or password');
  }
  const { _id, email, displayName } = account;
  return { ...(await openSession(deps, _id)), user: { _id, id: _id, email, displayName } };
}
