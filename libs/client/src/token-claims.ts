/** What the client reads in an access token; times in milliseconds since the epoch. */
export interface TokenClaims {
  userId: string;
  issuedAt: number;
  expiresAt: number;
}

/** Null for what is no JWT of ours. The signature is the server's business, not checked here. */
export function readClaims(token: string): TokenClaims | null {
  try {
    const body = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof claims !== 'object' || claims === null) {
      return null;
    }
    const { sub, iat, exp } = claims as Record<string, unknown>;
    if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') {
      return null;
    }
    return { userId: sub, issuedAt: iat * 1000, expiresAt: exp * 1000 };
  } catch {
    return null;
  }
}

/**
 * Milliseconds for which a token is good, at most its whole life: a clock that is behind would
 * otherwise believe in an old token for hours.
 */
export function timeLeft(claims: TokenClaims, now: number): number {
  return Math.min(claims.expiresAt - now, claims.expiresAt - claims.issuedAt);
}
