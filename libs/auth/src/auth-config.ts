import { integer } from '@bambochat/runtime';
import { z } from 'zod';
import { KeyError, signingKey, verifyingKey } from './token-keys.ts';

export const tokenAlgorithms = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** A PEM block; environment files often hold it on one line with `\n` written out. */
const pem = z.string().transform((text) => text.replaceAll('\\n', '\n'));

/** Variables of every process that verifies tokens. Add {@link checkVerifierKeys} to the schema. */
export const authConfig = {
  JWT_ALGORITHM: z.enum(tokenAlgorithms).default('HS256'),
  /** For HS256: at least 32 bytes. */
  JWT_SECRET: z.string().optional(),
  /** For RS256, ES256 and EdDSA: SubjectPublicKeyInfo or PKCS #1, PEM. */
  JWT_PUBLIC_KEY: pem.optional(),
  JWT_ISSUER: z.string().default('bambochat'),
  JWT_AUDIENCE: z.string().default('bambochat'),
};

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Variables of a process that also issues tokens. Add {@link checkIssuerKeys} to the schema. */
export const issuerConfig = {
  ...authConfig,
  /** For RS256, ES256 and EdDSA: PKCS #8, PKCS #1 or SEC 1, PEM, not encrypted. */
  JWT_PRIVATE_KEY: pem.optional(),
  /** Milliseconds an access token lives. */
  ACCESS_TOKEN_TTL: integer(1000, DAY).prefault(String(15 * MINUTE)),
  /** Milliseconds a refresh token lives. */
  REFRESH_TOKEN_TTL: integer(1000, 365 * DAY).prefault(String(7 * DAY)),
};

/** What {@link authConfig} reads; a verifier needs no private key. */
export interface AuthConfig {
  JWT_ALGORITHM: TokenAlgorithm;
  JWT_SECRET?: string | undefined;
  JWT_PUBLIC_KEY?: string | undefined;
  JWT_ISSUER: string;
  JWT_AUDIENCE: string;
}

/** What {@link issuerConfig} reads. */
export interface IssuerConfig extends AuthConfig {
  JWT_PRIVATE_KEY?: string | undefined;
  ACCESS_TOKEN_TTL: number;
  REFRESH_TOKEN_TTL: number;
}

/**
 * Refinement for `z.object({ ...authConfig }).superRefine(checkVerifierKeys)`: a missing or unfit
 * key stops the start like any other wrong variable.
 */
export function checkVerifierKeys(config: AuthConfig, context: z.RefinementCtx): void {
  report(context, () => verifyingKey(config));
}

/** As {@link checkVerifierKeys}, for a process that verifies and issues. */
export function checkIssuerKeys(config: IssuerConfig, context: z.RefinementCtx): void {
  report(context, () => verifyingKey(config));
  report(context, () => signingKey(config));
}

function report(context: z.RefinementCtx, readKey: () => unknown): void {
  try {
    readKey();
  } catch (error) {
    if (!(error instanceof KeyError)) {
      throw error;
    }
    context.addIssue({ code: 'custom', path: [error.variable], message: error.problem });
  }
}
