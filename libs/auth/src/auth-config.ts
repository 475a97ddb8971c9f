import { integer } from '@bambochat/runtime';
import { z } from 'zod';
import { KeyError, signingKey, verifyingKey } from './token-keys.ts';

export const tokenAlgorithms = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** A PEM block; environment files often hold it on one line with `\n` written out. */
const pem = z
  .string()
  .transform((text) => text.replaceAll('\\n', '\n'))
  .meta({ form: 'PEM, also on one line with `\\n`' });

/** Variables of every process that verifies tokens. Add {@link checkVerifierKeys} to the schema. */
export const authConfig = {
  JWT_ALGORITHM: z
    .enum(tokenAlgorithms)
    .default('HS256')
    .describe('How tokens are signed; nothing else is accepted.'),
  JWT_SECRET: z
    .string()
    .optional()
    .describe(
      'At least 32 bytes; required with HS256, except by standalone, which makes its own in `DATA_DIR`.',
    ),
  JWT_PUBLIC_KEY: pem
    .optional()
    .describe('Required with the other algorithms: SubjectPublicKeyInfo or PKCS #1.'),
  JWT_ISSUER: z.string().default('bambochat').describe('`iss` of every token.'),
  JWT_AUDIENCE: z.string().default('bambochat').describe('`aud` of every token.'),
};

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Variables of a process that also issues tokens. Add {@link checkIssuerKeys} to the schema. */
export const issuerConfig = {
  ...authConfig,
  JWT_PRIVATE_KEY: pem
    .optional()
    .describe(
      'Required with RS256, ES256 and EdDSA, where tokens are issued: PKCS #8, PKCS #1 or SEC 1, not encrypted.',
    ),
  ACCESS_TOKEN_TTL: integer(1000, DAY)
    .prefault(String(15 * MINUTE))
    .describe('Milliseconds an access token lives.'),
  REFRESH_TOKEN_TTL: integer(1000, 365 * DAY)
    .prefault(String(7 * DAY))
    .describe('Milliseconds a refresh token lives.'),
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
