import type { AccessClaims } from '@bambochat/protocol';
import type { z } from 'zod';
import type { AuthConfig } from './auth-config.ts';
import { authExpired, authInvalid } from './auth-errors.ts';
import {
  accessClaimsSchema,
  type RefreshClaims,
  refreshAudience,
  refreshClaimsSchema,
  registeredClaimsSchema,
} from './token-claims.ts';
import { verifyingKey } from './token-keys.ts';
import { openToken } from './token-signature.ts';

/** Longer tokens are refused before anything is parsed. */
export const TOKEN_MAX_CHARACTERS = 4096;

/** Seconds an issuer's clock may be ahead of ours for `nbf`. `exp` is exact. */
const NOT_BEFORE_TOLERANCE = 5;

export interface TokenVerifier {
  /** @throws AppError AUTH_EXPIRED, or AUTH_INVALID for everything else that is wrong */
  verifyAccess(token: string): AccessClaims;
  /** @throws AppError AUTH_EXPIRED, or AUTH_INVALID for everything else that is wrong */
  verifyRefresh(token: string): RefreshClaims;
}

/**
 * Verifies tokens of the one algorithm, issuer and audience of the configuration.
 *
 * @param clock milliseconds since the epoch.
 * @throws ConfigError that names the variable when the key is missing or unfit.
 */
export function createTokenVerifier(
  config: AuthConfig,
  clock: () => number = Date.now,
): TokenVerifier {
  const key = verifyingKey(config);

  function open(token: string): unknown {
    if (typeof token !== 'string' || token.length > TOKEN_MAX_CHARACTERS) {
      throw authInvalid();
    }
    try {
      const { header, payload } = openToken(token, key, config.JWT_ALGORITHM);
      if (header.crit !== undefined) {
        throw new Error('critical header extensions are not supported');
      }
      return payload;
    } catch (error) {
      throw authInvalid(error);
    }
  }

  function verify<Claims extends { sub: string; userId: string }>(
    token: string,
    audience: string,
    schema: z.ZodType<Claims>,
  ): Claims {
    const payload = open(token);
    const registered = registeredClaimsSchema.safeParse(payload);
    const claims = schema.safeParse(payload);
    if (!registered.success || !claims.success) {
      throw authInvalid(registered.error ?? claims.error);
    }
    const { iss, aud, exp, nbf } = registered.data;
    if (iss !== config.JWT_ISSUER || ![aud].flat().includes(audience)) {
      throw authInvalid(new Error('wrong issuer or audience'));
    }
    if (claims.data.sub !== claims.data.userId) {
      throw authInvalid(new Error('sub and userId differ'));
    }
    const now = clock() / 1000;
    if (nbf !== undefined && now < nbf - NOT_BEFORE_TOLERANCE) {
      throw authInvalid(new Error('not valid yet'));
    }
    // Last, so that "expired" is only said of a token that was good in every other way.
    if (now >= exp) {
      throw authExpired();
    }
    return claims.data;
  }

  return {
    verifyAccess: (token) => verify(token, config.JWT_AUDIENCE, accessClaimsSchema),
    verifyRefresh: (token) =>
      verify(token, refreshAudience(config.JWT_AUDIENCE), refreshClaimsSchema),
  };
}
