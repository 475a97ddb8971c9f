export * from './auth-config.ts';
export * from './auth-errors.ts';
export * from './bearer-token.ts';
export * from './issue-tokens.ts';
export * from './secret-file.ts';
export type { RefreshClaims } from './token-claims.ts';
export * from './verify-tokens.ts';
