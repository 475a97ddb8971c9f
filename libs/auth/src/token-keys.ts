import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@bambochat/runtime';
import type { AuthConfig, IssuerConfig, TokenAlgorithm } from './auth-config.ts';

const SECRET_MIN_BYTES = 32;
const RSA_MIN_BITS = 2048;

/** A key that is missing or unfit. Names the variable, never the value. */
export class KeyError extends ConfigError {
  readonly variable: string;
  readonly problem: string;

  constructor(variable: string, problem: string) {
    super(`The configuration is wrong:\n  ${variable}: ${problem}`);
    this.variable = variable;
    this.problem = problem;
  }
}

/** @throws KeyError when the key of the pinned algorithm is missing or unfit. */
export function verifyingKey(config: AuthConfig): KeyObject {
  if (config.JWT_ALGORITHM === 'HS256') {
    return secretKey(config.JWT_SECRET);
  }
  const pem = required('JWT_PUBLIC_KEY', config.JWT_PUBLIC_KEY, config.JWT_ALGORITHM);
  if (pem.includes('PRIVATE KEY')) {
    // Node would quietly derive the public key; a private key has no business in a verifier.
    throw new KeyError('JWT_PUBLIC_KEY', 'must be a public key, not a private one');
  }
  const key = parse('JWT_PUBLIC_KEY', 'a public key in PEM form', () => createPublicKey(pem));
  return fitting('JWT_PUBLIC_KEY', key, config.JWT_ALGORITHM);
}

/** @throws KeyError as above, and when private and public key do not belong together. */
export function signingKey(config: IssuerConfig): KeyObject {
  if (config.JWT_ALGORITHM === 'HS256') {
    return secretKey(config.JWT_SECRET);
  }
  const pem = required('JWT_PRIVATE_KEY', config.JWT_PRIVATE_KEY, config.JWT_ALGORITHM);
  const key = parse('JWT_PRIVATE_KEY', 'an unencrypted private key in PEM form', () =>
    createPrivateKey(pem),
  );
  fitting('JWT_PRIVATE_KEY', key, config.JWT_ALGORITHM);
  if (config.JWT_PUBLIC_KEY !== undefined) {
    const announced = verifyingKey(config);
    if (!createPublicKey(key).equals(announced)) {
      throw new KeyError('JWT_PRIVATE_KEY', 'must belong to JWT_PUBLIC_KEY');
    }
  }
  return key;
}

function secretKey(secret: string | undefined): KeyObject {
  const given = required('JWT_SECRET', secret, 'HS256');
  if (given.includes('-----BEGIN')) {
    // A public key as shared secret lets everyone who knows the public key sign.
    throw new KeyError('JWT_SECRET', 'must be a shared secret, not a PEM key');
  }
  const bytes = Buffer.from(given, 'utf8');
  if (bytes.length < SECRET_MIN_BYTES) {
    throw new KeyError('JWT_SECRET', `must have at least ${SECRET_MIN_BYTES} bytes`);
  }
  // As KeyObject: from a string jsonwebtoken would first try to read a PEM key.
  return createSecretKey(bytes);
}

function required(variable: string, value: string | undefined, algorithm: TokenAlgorithm): string {
  if (value === undefined || value === '') {
    throw new KeyError(variable, `is required for JWT_ALGORITHM ${algorithm}`);
  }
  return value;
}

function parse(variable: string, what: string, read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    // The parser's own error is left out: it may quote the key.
    throw new KeyError(variable, `must be ${what}`);
  }
}

function fitting(variable: string, key: KeyObject, algorithm: TokenAlgorithm): KeyObject {
  const details = key.asymmetricKeyDetails ?? {};
  const problem = {
    HS256: null,
    RS256:
      key.asymmetricKeyType === 'rsa' && (details.modulusLength ?? 0) >= RSA_MIN_BITS
        ? null
        : `an RSA key of at least ${RSA_MIN_BITS} bits`,
    ES256:
      key.asymmetricKeyType === 'ec' && details.namedCurve === 'prime256v1'
        ? null
        : 'an EC key on the curve P-256',
    EdDSA: key.asymmetricKeyType === 'ed25519' ? null : 'an Ed25519 key',
  }[algorithm];
  if (problem !== null) {
    throw new KeyError(variable, `must be ${problem} for JWT_ALGORITHM ${algorithm}`);
  }
  return key;
}
