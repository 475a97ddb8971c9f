import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { UserId } from '@bambochat/protocol';
import type { IssuerConfig, TokenAlgorithm } from './auth-config.ts';

export const SECRET = 'a-secret-of-this-test-with-48-bytes-0123456789ab';
export const alice = 'alice' as UserId;
export const NOW = Date.UTC(2030, 0, 1);

interface PemPair {
  publicKey: string;
  privateKey: string;
}

function inPem(pair: { publicKey: KeyObject; privateKey: KeyObject }): PemPair {
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export const rsaKeys = inPem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
export const ecKeys = inPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
export const edKeys = inPem(generateKeyPairSync('ed25519'));
export const weakRsaKeys = inPem(generateKeyPairSync('rsa', { modulusLength: 1024 }));
export const p384Keys = inPem(generateKeyPairSync('ec', { namedCurve: 'P-384' }));

const keyVariables: Record<TokenAlgorithm, Partial<IssuerConfig>> = {
  HS256: { JWT_SECRET: SECRET },
  RS256: { JWT_PUBLIC_KEY: rsaKeys.publicKey, JWT_PRIVATE_KEY: rsaKeys.privateKey },
  ES256: { JWT_PUBLIC_KEY: ecKeys.publicKey, JWT_PRIVATE_KEY: ecKeys.privateKey },
  EdDSA: { JWT_PUBLIC_KEY: edKeys.publicKey, JWT_PRIVATE_KEY: edKeys.privateKey },
};

/** A complete configuration with keys made for this run. */
export function configFor(
  algorithm: TokenAlgorithm,
  overrides: Partial<IssuerConfig> = {},
): IssuerConfig {
  return {
    JWT_ALGORITHM: algorithm,
    JWT_ISSUER: 'bambochat',
    JWT_AUDIENCE: 'bambochat',
    ACCESS_TOKEN_TTL: 900_000,
    REFRESH_TOKEN_TTL: 604_800_000,
    ...keyVariables[algorithm],
    ...overrides,
  };
}
