import { randomUUID } from 'node:crypto';
import type { TokenIssuer } from '@bambochat/auth';
import type { TokenPair, UserId } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';

/** One session per login: it ends alone. */
export async function openSession(
  { directoryStore, issuer }: { directoryStore: DirectoryStore; issuer: TokenIssuer },
  userId: UserId,
): Promise<TokenPair> {
  const sessionId = randomUUID();
  const tokenId = randomUUID();
  const refresh = issuer.issueRefresh({ userId, sessionId, tokenId });
  await directoryStore.createSession({
    _id: sessionId,
    userId,
    currentToken: tokenId,
    createdAt: new Date().toISOString(),
    expiresAt: refresh.expiresAt,
  });
  const access = issuer.issueAccess({ userId, sessionId });
  return { accessToken: access.token, refreshToken: refresh.token };
}
