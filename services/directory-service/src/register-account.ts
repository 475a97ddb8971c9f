import { AppError, type Register, type UserId } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';
import type { Passwords } from './hash-password.ts';

/**
 * The password is hashed before anything is looked up, so that time does not tell which email
 * addresses are known. @throws AppError `CONFLICT`, `OVERLOADED`, `UNAVAILABLE`
 */
export async function registerAccount(
  { directoryStore, passwords }: { directoryStore: DirectoryStore; passwords: Passwords },
  { id, email, password }: Register,
): Promise<UserId> {
  const passwordHash = await passwords.inTurn(() => passwords.hash(password));
  const created = await directoryStore.createAccount({
    _id: id,
    email,
    passwordHash,
    displayName: id,
    bio: '',
    avatar: null,
    isVerified: false,
    createdAt: new Date().toISOString(),
  });
  if (!created) {
    throw new AppError('CONFLICT', 'The id or the email address is already taken');
  }
  return id;
}
