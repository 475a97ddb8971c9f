import { bearerToken, type TokenVerifier } from '@bambochat/auth';
import type { EventBus } from '@bambochat/messaging';
import { AppError, type UserId } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';
import { endSession } from './end-session.ts';

/**
 * Ends the session of a refresh token, else of an access token. Whatever is over already, counts
 * as done. @throws AppError `VALIDATION` without either, `AUTH_INVALID`, `UNAVAILABLE`
 */
export async function logOut(
  deps: { directoryStore: DirectoryStore; bus: EventBus; verifier: TokenVerifier },
  given: { refreshToken?: string | undefined; authorization?: string | undefined },
): Promise<void> {
  const accessToken = bearerToken(given.authorization);
  if (given.refreshToken === undefined && accessToken === null) {
    throw new AppError('VALIDATION', 'refreshToken: is required');
  }
  const session = sessionOf(deps.verifier, given.refreshToken, accessToken ?? '');
  if (session?.sid !== undefined) {
    await endSession(deps, session.userId, session.sid);
  }
}

function sessionOf(
  verifier: TokenVerifier,
  refreshToken: string | undefined,
  accessToken: string,
): { userId: UserId; sid?: string | undefined } | undefined {
  if (refreshToken === undefined) {
    return verifier.verifyAccess(accessToken);
  }
  try {
    return verifier.verifyRefresh(refreshToken);
  } catch (error) {
    if (error instanceof AppError && error.code === 'AUTH_EXPIRED') {
      return undefined; // Its session has expired with it.
    }
    throw error;
  }
}
