import { createHmac } from 'node:crypto';

type Claims = Record<string, unknown>;

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** What a token says, whoever signed it. */
export function claimsOf(token: string): Claims {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
}

/** A JWT made by hand, so that it can be wrong in every way. */
export function signToken(
  claims: Claims,
  secret: string,
  alg: 'HS256' | 'HS384' | 'HS512' = 'HS256',
): string {
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  const hash = alg.replace('HS', 'sha');
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

/** The same claims under a header that says no signature is needed. */
export function unsigned(token: string): string {
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claimsOf(token))}.`;
}

/** The same claims with a signature that is well-formed and wrong. */
export function missigned(token: string): string {
  return signToken(claimsOf(token), 'a secret that nobody has given to the server');
}

/** Somebody else's name under the old signature. */
export function renamed(token: string, userId: string): string {
  const [header, , signature] = token.split('.');
  return `${header}.${encode({ ...claimsOf(token), sub: userId, userId })}.${signature}`;
}
