import {
  commandLogConfig,
  flag,
  integer,
  mongodbConfig,
  natsConfig,
  processConfig,
  redisConfig,
  tracingConfig,
} from '@bambochat/runtime';
import { z } from 'zod';

/** Settings that standalone shares. */
export const messageConfig = {
  ECHO_TO_SENDER: flag()
    .prefault('false')
    .describe('Also send `receive_message` to the socket that sent the message.'),
  MEMBERSHIP_CACHE_SIZE: integer(1, 10_000_000)
    .prefault('100000')
    .describe('(conversation, user) pairs remembered.'),
  SEQUENCE_CACHE_SIZE: integer(1, 10_000_000)
    .prefault('50000')
    .describe('Conversations whose last `seq` is remembered, over all partitions.'),
};

export type MessageSettings = {
  [Name in keyof typeof messageConfig]: z.infer<(typeof messageConfig)[Name]>;
};

export const configSchema = z.object({
  ...processConfig,
  ...tracingConfig,
  ...messageConfig,
  ...mongodbConfig,
  ...natsConfig,
  ...redisConfig,
  ...commandLogConfig,
});
