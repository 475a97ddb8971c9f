import { backendUrl, flag, integer, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

/** Settings that standalone shares. */
export const messageConfig = {
  /** Also send `receive_message` to the socket that sent the message. */
  ECHO_TO_SENDER: flag().prefault('false'),
  /** (conversation, user) pairs remembered. */
  MEMBERSHIP_CACHE_SIZE: integer(1, 10_000_000).prefault('100000'),
  /** Conversations whose last `seq` is remembered, over all partitions. */
  SEQUENCE_CACHE_SIZE: integer(1, 10_000_000).prefault('50000'),
};

export type MessageSettings = {
  [Name in keyof typeof messageConfig]: z.infer<(typeof messageConfig)[Name]>;
};

export const configSchema = z.object({
  ...processConfig,
  ...messageConfig,
  MONGODB_URL: backendUrl('mongodb', 'mongodb+srv'),
  NATS_URL: backendUrl('nats', 'tls'),
  REDIS_URL: backendUrl('redis', 'rediss'),
  COMMAND_PARTITIONS: integer(1, 1024).prefault('16'),
  COMMAND_REPLICAS: integer(1, 5).prefault('1'),
});
