import { createPrivateKey, createSecretKey, type KeyObject, sign } from 'node:crypto';
import { AppError } from '@bambochat/protocol';
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { type TokenAlgorithm, tokenAlgorithms } from './auth-config.ts';
import { createTokenIssuer } from './issue-tokens.ts';
import { alice, configFor, NOW, rsaKeys, SECRET } from './token-fixtures.ts';
import { signToken } from './token-signature.ts';
import { createTokenVerifier } from './verify-tokens.ts';

const clock = () => NOW;
const login = { userId: alice, sessionId: 'session-1' };

function outcome(act: () => unknown): { code: string; message: string } | 'accepted' {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof AppError)) {
      throw error;
    }
    return { code: error.code, message: error.message };
  }
}
const invalid = { code: 'AUTH_INVALID', message: 'Invalid or expired token' };
const expired = { code: 'AUTH_EXPIRED', message: 'Invalid or expired token' };

const seconds = NOW / 1000;
const goodClaims = {
  sub: 'alice',
  userId: 'alice',
  sid: 'session-1',
  iss: 'bambochat',
  aud: 'bambochat',
  jti: 'j1',
  iat: seconds,
  exp: seconds + 60,
};

function keyFor(algorithm: TokenAlgorithm) {
  const config = configFor(algorithm);
  return config.JWT_PRIVATE_KEY === undefined
    ? createSecretKey(Buffer.from(SECRET))
    : createPrivateKey(config.JWT_PRIVATE_KEY);
}

describe.each(tokenAlgorithms)('tokens by %s', (algorithm) => {
  const config = configFor(algorithm);
  const issuer = createTokenIssuer(config, clock);
  const verifier = createTokenVerifier(config, clock);
  const key = keyFor(algorithm);
  const signed = (claims: Record<string, unknown>) => signToken(claims, key, algorithm);
  const access = (claims: Record<string, unknown>) =>
    outcome(() => verifier.verifyAccess(signed(claims)));

  it('accepts what it issued, with the claims of the contract', () => {
    const { token, expiresAt } = issuer.issueAccess(login);
    const claims = verifier.verifyAccess(token);
    expect(claims).toMatchObject({ sub: 'alice', userId: 'alice', sid: 'session-1' });
    expect(claims.iat).toBe(seconds);
    expect(claims.exp).toBe(seconds + 900);
    expect(claims.jti).not.toBe('');
    expect(expiresAt).toBe(new Date(NOW + 900_000).toISOString());
    expect(jwt.decode(token, { complete: true })?.header.alg).toBe(algorithm);
    expect(jwt.decode(token)).toMatchObject({ iss: 'bambochat', aud: 'bambochat' });

    const refresh = issuer.issueRefresh({ ...login, tokenId: 'token-1' });
    expect(verifier.verifyRefresh(refresh.token)).toMatchObject({
      sub: 'alice',
      sid: 'session-1',
      jti: 'token-1',
      exp: seconds + 604_800,
    });
  });

  it('verifies without a private key', () => {
    const { JWT_PRIVATE_KEY: _, ...publicConfig } = config;
    const { token } = issuer.issueAccess(login);
    expect(createTokenVerifier(publicConfig, clock).verifyAccess(token).sub).toBe('alice');
  });

  it('accepts a complete token and refuses it as soon as one claim is missing or wrong', () => {
    expect(access(goodClaims)).toBe('accepted');
    for (const claim of Object.keys(goodClaims).filter((name) => name !== 'sid')) {
      // jsonwebtoken puts a missing `iat` in itself.
      if (claim !== 'iat' || algorithm === 'EdDSA') {
        expect(access(without(claim)), `without ${claim}`).toEqual(invalid);
      }
    }
    for (const wrong of [
      { iss: 'someone-else' },
      { aud: 'someone-else' },
      { aud: ['x', 'y'] },
      { sub: 'bob' },
      { userId: 'bob' },
      { sub: 'not a user id!', userId: 'not a user id!' },
      { sub: { $gt: '' }, userId: { $gt: '' } },
      { nbf: seconds + 60 },
    ]) {
      expect(access({ ...goodClaims, ...wrong }), JSON.stringify(wrong)).toEqual(invalid);
    }
    expect(access({ ...goodClaims, aud: ['x', 'bambochat'] })).toBe('accepted');
    expect(access({ ...goodClaims, nbf: seconds + 4 })).toBe('accepted');
  });

  it('says expired only of a token that was good otherwise', () => {
    expect(access({ ...goodClaims, exp: seconds })).toEqual(expired);
    expect(access({ ...goodClaims, exp: seconds + 1 })).toBe('accepted');
    expect(access({ ...goodClaims, exp: seconds - 1, aud: 'someone-else' })).toEqual(invalid);
    const other = signed({ ...goodClaims, exp: seconds - 1 });
    expect(outcome(() => verifier.verifyAccess(tamper(other)))).toEqual(invalid);
  });

  it('never takes a refresh token for an access token, or the other way round', () => {
    const accessToken = issuer.issueAccess(login).token;
    const refreshToken = issuer.issueRefresh({ ...login, tokenId: 't' }).token;
    expect(outcome(() => verifier.verifyAccess(refreshToken))).toEqual(invalid);
    expect(outcome(() => verifier.verifyRefresh(accessToken))).toEqual(invalid);
  });

  it('refuses a wrong signature, another key and every other algorithm', () => {
    const { token } = issuer.issueAccess(login);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...goodClaims, sub: 'eve', userId: 'eve' }));
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const bad of [
      tamper(token),
      `${header}.${forged.toString('base64url')}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${token}.x`,
      ` ${token}`,
    ]) {
      expect(
        outcome(() => verifier.verifyAccess(bad)),
        bad,
      ).toEqual(invalid);
    }
    for (const other of tokenAlgorithms.filter((name) => name !== algorithm)) {
      const foreign = signToken(goodClaims, keyFor(other), other);
      expect(
        outcome(() => verifier.verifyAccess(foreign)),
        other,
      ).toEqual(invalid);
    }
  });

  it('refuses critical extensions, which it does not know', () => {
    const header = { alg: algorithm, crit: ['b64'] };
    const token =
      algorithm === 'EdDSA'
        ? signedByHand(header, goodClaims, key)
        : jwt.sign(goodClaims, key, { algorithm, header });
    expect(outcome(() => verifier.verifyAccess(token))).toEqual(invalid);
  });

  it('refuses a longer token before it parses it', () => {
    const long = signed({ ...goodClaims, padding: 'x'.repeat(4096) });
    expect(outcome(() => verifier.verifyAccess(long))).toEqual(invalid);
    const fitting = signed({ ...goodClaims, padding: 'x'.repeat(1000) });
    expect(outcome(() => verifier.verifyAccess(fitting))).toBe('accepted');
  });

  it('answers any text with AUTH_INVALID', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((p) => p.join('.')),
          fc.json().map((text) => {
            const part = Buffer.from(text).toString('base64url');
            return `${part}.${part}.${part}`;
          }),
        ),
        (text) => {
          expect(outcome(() => verifier.verifyAccess(text))).toEqual(invalid);
          expect(outcome(() => verifier.verifyRefresh(text))).toEqual(invalid);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('confusion of algorithms', () => {
  it('does not take a token that was signed with the public key as shared secret', () => {
    const verifier = createTokenVerifier(configFor('RS256'), clock);
    const forged = signToken(goodClaims, createSecretKey(Buffer.from(rsaKeys.publicKey)), 'HS256');
    expect(outcome(() => verifier.verifyAccess(forged))).toEqual(invalid);
  });

  it('takes neither HS384 nor HS512 for HS256, though the secret is right', () => {
    const verifier = createTokenVerifier(configFor('HS256'), clock);
    for (const algorithm of ['HS384', 'HS512'] as const) {
      const token = jwt.sign(goodClaims, SECRET, { algorithm });
      expect(outcome(() => verifier.verifyAccess(token))).toEqual(invalid);
    }
  });

  it('does not take RS512 for RS256, though the key is right', () => {
    const verifier = createTokenVerifier(configFor('RS256'), clock);
    const token = jwt.sign(goodClaims, rsaKeys.privateKey, { algorithm: 'RS512' });
    expect(outcome(() => verifier.verifyAccess(token))).toEqual(invalid);
  });
});

function signedByHand(header: object, claims: object, key: KeyObject): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

function without(claim: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(goodClaims).filter(([name]) => name !== claim));
}

/** Changes a character in the middle of the signature, where every bit counts. */
function tamper(token: string): string {
  const at = token.lastIndexOf('.') + 10;
  const changed = token[at] === 'A' ? 'B' : 'A';
  return token.slice(0, at) + changed + token.slice(at + 1);
}
