import { authConfig, checkVerifierKeys } from '@bambochat/auth';
import {
  backendUrl,
  decimal,
  integer,
  originList,
  processConfig,
  proxyList,
} from '@bambochat/runtime';
import { z } from 'zod';
import type { DrainPace } from './drain-sockets.ts';

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
  /** Who may tell a client's address by `X-Forwarded-For`, as for REST. */
  TRUST_PROXY: proxyList().optional(),
  /** Connections of this process; more are refused. */
  MAX_CONNECTIONS: integer(1, 1_000_000).prefault('50000'),
  /** Of one IPv4 address or IPv6 /64. */
  CONNECTIONS_PER_ADDRESS_MAX: integer(1, 1_000_000).prefault('20000'),
  CONNECTIONS_PER_USER_MAX: integer(1, 1_000_000).prefault('200'),
  /** Handshakes that ask the directory at a time. */
  HANDSHAKES_AT_ONCE: integer(1, 10_000).prefault('64'),
  /** Handshakes that wait for that; more are refused before they become a connection. */
  HANDSHAKES_WAITING: integer(0, 1_000_000).prefault('2000'),
  /** Bytes that may wait for one connection; past it the connection is cut off. */
  SEND_BUFFER_MAX: integer(65_536, 1_073_741_824).prefault('1048576'),
};

export type GatewaySettings = z.infer<z.ZodObject<typeof gatewayConfig>>;

/** How a gateway that stops sends its clients elsewhere; where there is no elsewhere: at once. */
const drainConfig = {
  /** Milliseconds that it goes on as before but is not ready, for load balancers to notice. */
  DRAIN_DELAY: integer(0, 600_000).prefault('0'),
  /** Milliseconds over which sockets are closed at most. Absent: 10,000, or what the time allows. */
  DRAIN_SPREAD: integer(0, 600_000).optional(),
  /** Sockets a second, unless the spread demands more. */
  DRAIN_RATE: integer(1, 1_000_000).prefault('500'),
};

const DRAIN_SPREAD_DEFAULT = 10_000;

/** The other half of `STOP_TIMEOUT` is for what is in flight, for farewells and for closing. */
function timeToDrain({ STOP_TIMEOUT }: { STOP_TIMEOUT: number }): number {
  return STOP_TIMEOUT / 2;
}

export const configSchema = z
  .object({
    ...processConfig,
    ...authConfig,
    ...gatewayConfig,
    ...drainConfig,
    NATS_URL: backendUrl('nats', 'tls'),
    REDIS_URL: backendUrl('redis', 'rediss'),
    COMMAND_PARTITIONS: integer(1, 1024).prefault('16'),
    COMMAND_REPLICAS: integer(1, 5).prefault('1'),
  })
  .superRefine(checkVerifierKeys)
  .superRefine((config, context) => {
    if (config.DRAIN_DELAY + (config.DRAIN_SPREAD ?? 0) > timeToDrain(config)) {
      context.addIssue({
        code: 'custom',
        path: [config.DRAIN_SPREAD === undefined ? 'DRAIN_DELAY' : 'DRAIN_SPREAD'],
        message: 'DRAIN_DELAY and DRAIN_SPREAD together must be at most half of STOP_TIMEOUT',
      });
    }
  });

/** As `createSocketGateway` takes it. */
export function drainOf(config: z.infer<typeof configSchema>): DrainPace & { delay: number } {
  const { DRAIN_DELAY: delay, DRAIN_RATE: rate } = config;
  const left = timeToDrain(config) - delay;
  return { delay, rate, spread: config.DRAIN_SPREAD ?? Math.min(DRAIN_SPREAD_DEFAULT, left) };
}
