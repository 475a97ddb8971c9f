import { authConfig, checkVerifierKeys } from '@bambochat/auth';
import { backendUrl, decimal, integer, originList, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

/** Settings that standalone shares. Rates are events a second and user, on each gateway. */
export const gatewayConfig = {
  /** Handshakes: each costs the directory a question. */
  CONNECT_RATE: decimal(0.1, 100_000).prefault('50'),
  CONNECT_BURST: integer(1, 1_000_000).prefault('500'),
  MESSAGE_RATE: decimal(0.1, 100_000).prefault('20'),
  MESSAGE_BURST: integer(1, 1_000_000).prefault('40'),
  TYPING_RATE: decimal(0.1, 100_000).prefault('10'),
  TYPING_BURST: integer(1, 1_000_000).prefault('20'),
  /**
   * Milliseconds in which the others in a room hear at most one typing state of a socket; 0: all.
   */
  TYPING_INTERVAL: integer(0, 60_000).prefault('1000'),
  /** All other events together: joining, leaving, marks, reactions, refresh_token. */
  REQUEST_RATE: decimal(0.1, 100_000).prefault('10'),
  REQUEST_BURST: integer(1, 1_000_000).prefault('50'),
  /** Bytes of one Engine.IO message; more closes the connection. */
  MAX_PAYLOAD: integer(16_384, 1_048_576).prefault('65536'),
  /** Messages, marks and reactions of one gateway that wait for their confirmation; beyond: OVERLOADED. */
  MAX_UNCONFIRMED: integer(1, 1_000_000).prefault('10000'),
  /** Milliseconds a message may wait to be accepted by the command log; then: UNAVAILABLE. */
  ACCEPT_TIMEOUT: integer(100, 600_000).prefault('10000'),
  /** Origins of browsers that may connect. */
  ALLOWED_ORIGINS: originList().prefault('*'),
};

export type GatewaySettings = {
  [Name in keyof typeof gatewayConfig]: z.infer<(typeof gatewayConfig)[Name]>;
};

export const configSchema = z
  .object({
    ...processConfig,
    ...authConfig,
    ...gatewayConfig,
    NATS_URL: backendUrl('nats', 'tls'),
    REDIS_URL: backendUrl('redis', 'rediss'),
    COMMAND_PARTITIONS: integer(1, 1024).prefault('16'),
    COMMAND_REPLICAS: integer(1, 5).prefault('1'),
  })
  .superRefine(checkVerifierKeys);
