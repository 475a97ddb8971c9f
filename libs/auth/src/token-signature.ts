import { type KeyObject, sign, verify } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { TokenAlgorithm } from './auth-config.ts';

/** A token whose signature is good. Nothing in it has been judged otherwise. */
export interface SignedToken {
  header: Record<string, unknown>;
  payload: unknown;
}

/**
 * @param payload complete: `iat` and `exp` included.
 * @returns the compact serialisation (RFC 7515).
 */
export function signToken(
  payload: Record<string, unknown>,
  key: KeyObject,
  algorithm: TokenAlgorithm,
): string {
  if (algorithm === 'EdDSA') {
    const input = `${encoded({ alg: 'EdDSA', typ: 'JWT' })}.${encoded(payload)}`;
    return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
  }
  return jwt.sign(payload, key, { algorithm });
}

/**
 * Opens a token of the one algorithm that is configured; what the token's header says has no vote.
 *
 * @throws Error when it is malformed, of another algorithm or its signature is wrong.
 */
export function openToken(token: string, key: KeyObject, algorithm: TokenAlgorithm): SignedToken {
  if (algorithm === 'EdDSA') {
    return openEdDsa(token, key);
  }
  const { header, payload } = jwt.verify(token, key, {
    algorithms: [algorithm],
    complete: true,
    // Claims are judged by the caller, for every algorithm in one place: to the library a token
    // without `exp` is good for ever.
    ignoreExpiration: true,
    ignoreNotBefore: true,
  });
  return { header: { ...header }, payload };
}

/** jsonwebtoken 9 knows neither EdDSA nor Ed25519 keys: RFC 8037 with node:crypto. */
function openEdDsa(token: string, key: KeyObject): SignedToken {
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null) {
    throw new Error('malformed token');
  }
  const [, header = '', payload = '', signature = ''] = parts;
  const decodedHeader: unknown = decoded(header);
  if (!isObject(decodedHeader) || decodedHeader.alg !== 'EdDSA') {
    throw new Error('invalid algorithm');
  }
  const input = Buffer.from(`${header}.${payload}`);
  if (!verify(null, input, key, Buffer.from(signature, 'base64url'))) {
    throw new Error('invalid signature');
  }
  return { header: decodedHeader, payload: decoded(payload) };
}

function encoded(part: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decoded(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
