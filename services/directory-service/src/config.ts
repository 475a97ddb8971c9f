import { checkIssuerKeys, issuerConfig } from '@bambochat/auth';
import { FRIENDS_MAX } from '@bambochat/protocol';
import { restConfig } from '@bambochat/rest';
import { integer, mongodbConfig, natsConfig, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

/** Settings that standalone shares. Limits are per replica. */
export const directoryConfig = {
  PASSWORD_SCRYPT_COST: integer(10, 18)
    .prefault('15')
    .describe(
      "log2 of scrypt's N; each step doubles time and memory of a hash. Below 14 only for tests and load: the log warns.",
    ),
  AUTH_REQUESTS_PER_ADDRESS: integer(1, 1_000_000_000)
    .prefault('600')
    .describe('Registrations and logins, together, of one address in a window, on each replica.'),
  LOGIN_FAILURES_PER_ACCOUNT: integer(1, 1_000_000_000)
    .prefault('10')
    .describe('Wrong passwords for one id in a window, on each replica.'),
  AUTH_LIMIT_WINDOW: integer(1000, 86_400_000)
    .prefault('60000')
    .describe('Milliseconds of that window.'),
  CONVERSATIONS_PER_USER_MAX: integer(1, 10_000)
    .prefault('10000')
    .describe('Conversations of one user.'),
  FRIENDS_PER_USER_MAX: integer(1, FRIENDS_MAX)
    .prefault('1000')
    .describe('Friends and requests that a user has made, together.'),
  BLOCKS_PER_USER_MAX: integer(1, 10_000).prefault('10000').describe('Users whom one user blocks.'),
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
    ...mongodbConfig,
    ...natsConfig,
  })
  .superRefine(checkIssuerKeys);
