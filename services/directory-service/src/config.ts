import { checkIssuerKeys, issuerConfig } from '@bambochat/auth';
import { FRIENDS_MAX } from '@bambochat/protocol';
import { restConfig } from '@bambochat/rest';
import { backendUrl, integer, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

/** Settings that standalone shares. Limits are per replica. */
export const directoryConfig = {
  /** log2 of scrypt's N; each step doubles time and memory of a hash. */
  PASSWORD_SCRYPT_COST: integer(14, 18).prefault('15'),
  /** Registrations and logins, together, of one address in a window. */
  AUTH_REQUESTS_PER_ADDRESS: integer(1, 1_000_000_000).prefault('600'),
  /** Wrong passwords for one id in a window. */
  LOGIN_FAILURES_PER_ACCOUNT: integer(1, 1_000_000_000).prefault('10'),
  /** Milliseconds. */
  AUTH_LIMIT_WINDOW: integer(1000, 86_400_000).prefault('60000'),
  CONVERSATIONS_PER_USER_MAX: integer(1, 10_000).prefault('10000'),
  /** Friends and requests that a user has made, together. */
  FRIENDS_PER_USER_MAX: integer(1, FRIENDS_MAX).prefault('1000'),
  /** Users whom one user blocks. */
  BLOCKS_PER_USER_MAX: integer(1, 10_000).prefault('10000'),
};

export type DirectorySettings = {
  [Name in keyof typeof directoryConfig]: z.infer<(typeof directoryConfig)[Name]>;
};

export const configSchema = z
  .object({
    ...processConfig,
    ...issuerConfig,
    ...restConfig,
    ...directoryConfig,
    MONGODB_URL: backendUrl('mongodb', 'mongodb+srv'),
    NATS_URL: backendUrl('nats', 'tls'),
  })
  .superRefine(checkIssuerKeys);
