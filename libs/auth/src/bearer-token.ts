/**
 * The token of an `Authorization` header (RFC 6750; the scheme in any case), or null when the
 * header is absent or of another scheme. The token itself is not looked at.
 */
export function bearerToken(header: string | undefined): string | null {
  const match = /^bearer +(\S+) *$/i.exec(header ?? '');
  return match?.[1] ?? null;
}
