import { ConfigError, readConfig } from '@bambochat/runtime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { authConfig, checkIssuerKeys, checkVerifierKeys, issuerConfig } from './auth-config.ts';
import { createTokenIssuer } from './issue-tokens.ts';
import {
  alice,
  configFor,
  ecKeys,
  edKeys,
  p384Keys,
  rsaKeys,
  SECRET,
  weakRsaKeys,
} from './token-fixtures.ts';
import { createTokenVerifier } from './verify-tokens.ts';

const verifierSchema = z.object({ ...authConfig }).superRefine(checkVerifierKeys);
const issuerSchema = z.object({ ...issuerConfig }).superRefine(checkIssuerKeys);

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('accepted');
}

describe('configuration', () => {
  it('has the defaults of the contract', () => {
    expect(readConfig(issuerSchema, { JWT_SECRET: SECRET })).toEqual({
      JWT_ALGORITHM: 'HS256',
      JWT_SECRET: SECRET,
      JWT_ISSUER: 'bambochat',
      JWT_AUDIENCE: 'bambochat',
      ACCESS_TOKEN_TTL: 900_000,
      REFRESH_TOKEN_TTL: 604_800_000,
    });
  });

  it('accepts PEM keys on one line with \\n written out', () => {
    const config = readConfig(issuerSchema, {
      JWT_ALGORITHM: 'EdDSA',
      JWT_PUBLIC_KEY: edKeys.publicKey.replaceAll('\n', '\\n'),
      JWT_PRIVATE_KEY: edKeys.privateKey.replaceAll('\n', '\\n'),
    });
    const { token } = createTokenIssuer(config).issueAccess({
      userId: alice,
      sessionId: 's',
    });
    expect(createTokenVerifier(config).verifyAccess(token).sub).toBe('alice');
  });

  const unfit: [what: string, env: Record<string, string>, variable: string][] = [
    ['a missing secret', {}, 'JWT_SECRET'],
    ['a short secret', { JWT_SECRET: 'x'.repeat(31) }, 'JWT_SECRET'],
    ['a public key as secret', { JWT_SECRET: rsaKeys.publicKey }, 'JWT_SECRET'],
    [
      'a public key on one line as secret',
      { JWT_SECRET: oneLine(rsaKeys.publicKey) },
      'JWT_SECRET',
    ],
    ['an unknown algorithm', { JWT_ALGORITHM: 'none', JWT_SECRET: SECRET }, 'JWT_ALGORITHM'],
    ['a missing public key', { JWT_ALGORITHM: 'RS256', JWT_SECRET: SECRET }, 'JWT_PUBLIC_KEY'],
    [
      'no key at all',
      { JWT_ALGORITHM: 'ES256', JWT_PUBLIC_KEY: 'xyzzy'.repeat(9) },
      'JWT_PUBLIC_KEY',
    ],
    [
      'a private key where the public one belongs',
      { JWT_ALGORITHM: 'RS256', JWT_PUBLIC_KEY: rsaKeys.privateKey },
      'JWT_PUBLIC_KEY',
    ],
    [
      'a weak RSA key',
      { JWT_ALGORITHM: 'RS256', JWT_PUBLIC_KEY: weakRsaKeys.publicKey },
      'JWT_PUBLIC_KEY',
    ],
    [
      'an EC key for RS256',
      { JWT_ALGORITHM: 'RS256', JWT_PUBLIC_KEY: ecKeys.publicKey },
      'JWT_PUBLIC_KEY',
    ],
    [
      'another curve',
      { JWT_ALGORITHM: 'ES256', JWT_PUBLIC_KEY: p384Keys.publicKey },
      'JWT_PUBLIC_KEY',
    ],
    [
      'an RSA key for EdDSA',
      { JWT_ALGORITHM: 'EdDSA', JWT_PUBLIC_KEY: rsaKeys.publicKey },
      'JWT_PUBLIC_KEY',
    ],
  ];
  it.each(unfit)('names the variable and not the value: %s', (_what, env, variable) => {
    const message = complaint(() => readConfig(verifierSchema, env));
    expect(message).toContain(variable);
    for (const value of Object.values(env)) {
      if (value.length > 10) {
        expect(message).not.toContain(value);
        expect(message).not.toContain(value.slice(30, 60));
      }
    }
  });

  it('refuses a private key that is missing, unfit or of another pair', () => {
    const publicOnly = { JWT_ALGORITHM: 'RS256', JWT_PUBLIC_KEY: rsaKeys.publicKey };
    expect(complaint(() => readConfig(issuerSchema, publicOnly))).toContain('JWT_PRIVATE_KEY');
    for (const JWT_PRIVATE_KEY of [rsaKeys.publicKey, ecKeys.privateKey, weakRsaKeys.privateKey]) {
      const env = { ...publicOnly, JWT_PRIVATE_KEY };
      expect(complaint(() => readConfig(issuerSchema, env))).toContain('JWT_PRIVATE_KEY');
    }
    const mixed = configFor('EdDSA', {
      JWT_PUBLIC_KEY: ecKeys.publicKey,
      JWT_ALGORITHM: 'ES256',
      JWT_PRIVATE_KEY: edKeys.privateKey,
    });
    expect(complaint(() => createTokenIssuer(mixed))).toContain('JWT_PRIVATE_KEY');
  });

  it('refuses unfit keys in the factories too, for compositions without a schema', () => {
    const short = configFor('HS256', { JWT_SECRET: 'short' });
    expect(complaint(() => createTokenVerifier(short))).toContain('JWT_SECRET');
    expect(complaint(() => createTokenIssuer(short))).toContain('JWT_SECRET');
  });
});

function oneLine(pem: string): string {
  return pem.replaceAll('\n', '\\n');
}
