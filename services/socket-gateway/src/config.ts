import { authConfig, checkVerifierKeys } from '@bambochat/auth';
import {
  commandLogConfig,
  decimal,
  integer,
  natsConfig,
  originList,
  processConfig,
  proxyList,
  redisConfig,
  tracingConfig,
} from '@bambochat/runtime';
import { z } from 'zod';
import type { DrainPace } from './drain-sockets.ts';

/** Settings that standalone shares. Rates are events a second and user, on each gateway. */
export const gatewayConfig = {
  CONNECT_RATE: decimal(0.1, 100_000)
    .prefault('50')
    .describe(
      'Handshakes a second and user, on each gateway: each costs the directory a question.',
    ),
  CONNECT_BURST: integer(1, 1_000_000).prefault('500').describe('Handshakes of a user at once.'),
  MESSAGE_RATE: decimal(0.1, 100_000)
    .prefault('20')
    .describe('Messages a second and user, on each gateway.'),
  MESSAGE_BURST: integer(1, 1_000_000).prefault('40').describe('Messages of a user at once.'),
  TYPING_RATE: decimal(0.1, 100_000)
    .prefault('10')
    .describe('Typing events a second and user, on each gateway.'),
  TYPING_BURST: integer(1, 1_000_000).prefault('20').describe('Typing events of a user at once.'),
  TYPING_INTERVAL: integer(0, 60_000)
    .prefault('1000')
    .describe(
      'Milliseconds in which the others in a room hear at most one typing state of a socket; 0: all.',
    ),
  REQUEST_RATE: decimal(0.1, 100_000)
    .prefault('10')
    .describe(
      'All other events together, a second and user, on each gateway: joining, leaving, marks, reactions, `refresh_token`.',
    ),
  REQUEST_BURST: integer(1, 1_000_000)
    .prefault('50')
    .describe('All other events of a user at once.'),
  MAX_PAYLOAD: integer(16_384, 1_048_576)
    .prefault('65536')
    .describe('Bytes of one Engine.IO message; more closes the connection.'),
  MAX_UNCONFIRMED: integer(1, 1_000_000)
    .prefault('10000')
    .describe(
      'Messages, marks and reactions of one gateway that wait for their confirmation; beyond: `OVERLOADED`.',
    ),
  CONFIRM_WAIT_MAX: integer(50, 60_000)
    .prefault('1000')
    .describe(
      'Milliseconds that one of them may have to wait while others are confirmed, to judge by the best second of the last minute; beyond: `OVERLOADED`. 1000 may always wait.',
    ),
  ACCEPT_TIMEOUT: integer(100, 600_000)
    .prefault('10000')
    .describe(
      'Milliseconds a message may wait to be accepted by the command log; then: `UNAVAILABLE`.',
    ),
  ALLOWED_ORIGINS: originList()
    .prefault('*')
    .describe(
      'Origins of browsers that may connect and read answers (CORS). Tokens travel in a header, never in a cookie.',
    ),
  TRUST_PROXY: proxyList()
    .optional()
    .describe(
      "Who may tell the client's address by `X-Forwarded-For`. Absent: nobody, and the address is the peer's.",
    ),
  MAX_CONNECTIONS: integer(1, 1_000_000)
    .prefault('50000')
    .describe('Connections of the process; more are refused.'),
  CONNECTIONS_PER_ADDRESS_MAX: integer(1, 1_000_000)
    .prefault('20000')
    .describe('Connections of one IPv4 address or IPv6 /64, on each gateway.'),
  CONNECTIONS_PER_USER_MAX: integer(1, 1_000_000)
    .prefault('200')
    .describe('Connections of one user, on each gateway; beyond: `RATE_LIMITED`.'),
  HANDSHAKES_AT_ONCE: integer(1, 10_000)
    .prefault('64')
    .describe('Handshakes of a gateway that ask the directory at a time.'),
  HANDSHAKES_WAITING: integer(0, 1_000_000)
    .prefault('2000')
    .describe(
      'Handshakes that wait for that, 5 s at most; more are refused before they become a connection, and clients come back later.',
    ),
  SEND_BUFFER_MAX: integer(65_536, 1_073_741_824)
    .prefault('1048576')
    .describe('Bytes that may wait for one connection; past it the connection is cut off.'),
};

export type GatewaySettings = z.infer<z.ZodObject<typeof gatewayConfig>>;

/** How a gateway that stops sends its clients elsewhere; where there is no elsewhere: at once. */
const drainConfig = {
  DRAIN_DELAY: integer(0, 600_000)
    .prefault('0')
    .describe(
      'Milliseconds after SIGTERM that it goes on as before but is not ready, for load balancers to notice.',
    ),
  DRAIN_SPREAD: integer(0, 600_000)
    .optional()
    .describe(
      'Milliseconds over which sockets are sent away at most; with `DRAIN_DELAY` at most half of `STOP_TIMEOUT`. Absent: 10,000, or what the time allows.',
    ),
  DRAIN_RATE: integer(1, 1_000_000)
    .prefault('500')
    .describe('Sockets a second that are sent away, unless `DRAIN_SPREAD` demands more.'),
};

const DRAIN_SPREAD_DEFAULT = 10_000;

/** The other half of `STOP_TIMEOUT` is for what is in flight, for farewells and for closing. */
function timeToDrain({ STOP_TIMEOUT }: { STOP_TIMEOUT: number }): number {
  return STOP_TIMEOUT / 2;
}

export const configSchema = z
  .object({
    ...processConfig,
    ...tracingConfig,
    ...authConfig,
    ...gatewayConfig,
    ...drainConfig,
    ...natsConfig,
    ...redisConfig,
    ...commandLogConfig,
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
