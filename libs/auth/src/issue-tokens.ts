import { randomUUID } from 'node:crypto';
import type { UserId } from '@bambochat/protocol';
import type { IssuerConfig } from './auth-config.ts';
import { refreshAudience } from './token-claims.ts';
import { signingKey } from './token-keys.ts';
import { signToken } from './token-signature.ts';

/** `expiresAt`: ISO 8601 UTC with milliseconds. */
export interface IssuedToken {
  token: string;
  expiresAt: string;
}

export interface TokenIssuer {
  /** @param login.sessionId null: of no session, so nobody can end it before it expires */
  issueAccess(login: { userId: UserId; sessionId: string | null }): IssuedToken;
  /** @param login.tokenId becomes the `jti`: the store knows by it which token is not spent. */
  issueRefresh(login: { userId: UserId; sessionId: string; tokenId: string }): IssuedToken;
}

/**
 * @param clock milliseconds since the epoch.
 * @throws ConfigError that names the variable when a key is missing or unfit.
 */
export function createTokenIssuer(
  config: IssuerConfig,
  clock: () => number = Date.now,
): TokenIssuer {
  const key = signingKey(config);

  function issue(
    login: { userId: UserId; sessionId: string | null },
    kind: { audience: string; ttl: number; tokenId: string },
  ): IssuedToken {
    const iat = Math.floor(clock() / 1000);
    const exp = iat + Math.floor(kind.ttl / 1000);
    const token = signToken(
      {
        sub: login.userId,
        userId: login.userId,
        ...(login.sessionId === null ? {} : { sid: login.sessionId }),
        iss: config.JWT_ISSUER,
        aud: kind.audience,
        jti: kind.tokenId,
        iat,
        exp,
      },
      key,
      config.JWT_ALGORITHM,
    );
    return { token, expiresAt: new Date(exp * 1000).toISOString() };
  }

  return {
    issueAccess: (login) =>
      issue(login, {
        audience: config.JWT_AUDIENCE,
        ttl: config.ACCESS_TOKEN_TTL,
        tokenId: randomUUID(),
      }),
    issueRefresh: (login) =>
      issue(login, {
        audience: refreshAudience(config.JWT_AUDIENCE),
        ttl: config.REFRESH_TOKEN_TTL,
        tokenId: login.tokenId,
      }),
  };
}
