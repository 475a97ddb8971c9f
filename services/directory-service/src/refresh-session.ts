import { randomUUID } from 'node:crypto';
import { authInvalid, type TokenIssuer, type TokenVerifier } from '@bambochat/auth';
import type { EventBus } from '@bambochat/messaging';
import type { TokenPair } from '@bambochat/protocol';
import type { Logger, Metrics } from '@bambochat/runtime';
import type { DirectoryStore } from '@bambochat/stores';
import { endSession } from './end-session.ts';

/**
 * Spends a refresh token. One that is spent already was stolen, or its owner's copy was: nobody can
 * tell which of the two asks, so the session ends for both.
 *
 * @throws AppError `AUTH_INVALID`, `AUTH_EXPIRED`, `UNAVAILABLE`
 */
export async function refreshSession(
  deps: {
    directoryStore: DirectoryStore;
    bus: EventBus;
    issuer: TokenIssuer;
    verifier: TokenVerifier;
    logger: Logger;
    metrics: Metrics;
  },
  refreshToken: string,
): Promise<TokenPair> {
  const { directoryStore, issuer, verifier, logger, metrics } = deps;
  const { sub: userId, sid: sessionId, jti } = verifier.verifyRefresh(refreshToken);
  const tokenId = randomUUID();
  const next = issuer.issueRefresh({ userId, sessionId, tokenId });
  const rotated = await directoryStore.rotateSession(sessionId, jti, tokenId, next.expiresAt);
  if (!rotated) {
    if (await endSession(deps, userId, sessionId)) {
      metrics
        .counter({
          name: 'directory_refresh_tokens_reused_total',
          help: 'Spent refresh tokens that were used again; each revoked a session',
        })
        .inc();
      logger.warn({ sessionId }, 'spent refresh token was used, session revoked');
    }
    throw authInvalid();
  }
  return {
    accessToken: issuer.issueAccess({ userId, sessionId }).token,
    refreshToken: next.token,
  };
}
