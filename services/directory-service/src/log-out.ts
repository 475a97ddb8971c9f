import { bearerToken, type TokenVerifier } from '@bambochat/auth';
import { AppError } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';

/**
 * Ends the session of a refresh token, else of an access token. Whatever is over already, counts
 * as done. @throws AppError `VALIDATION` without either, `AUTH_INVALID`, `UNAVAILABLE`
 */
export async function logOut(
  { directoryStore, verifier }: { directoryStore: DirectoryStore; verifier: TokenVerifier },
  given: { refreshToken?: string | undefined; authorization?: string | undefined },
): Promise<void> {
  const accessToken = bearerToken(given.authorization);
  if (given.refreshToken === undefined && accessToken === null) {
    throw new AppError('VALIDATION', 'refreshToken: is required');
  }
  const sessionId = sessionOf(verifier, given.refreshToken, accessToken ?? '');
  if (sessionId !== undefined) {
    await directoryStore.revokeSession(sessionId);
  }
}

function sessionOf(
  verifier: TokenVerifier,
  refreshToken: string | undefined,
  accessToken: string,
): string | undefined {
  if (refreshToken === undefined) {
    return verifier.verifyAccess(accessToken).sid;
  }
  try {
    return verifier.verifyRefresh(refreshToken).sid;
  } catch (error) {
    if (error instanceof AppError && error.code === 'AUTH_EXPIRED') {
      return undefined; // Its session has expired with it.
    }
    throw error;
  }
}
