import { randomBytes } from 'node:crypto';
import { SERVICES_STOP, stopOrder } from './service-kinds.ts';

/** Milliseconds in which a service stops; the kinds do so in turns. */
const STOP_TIMEOUT = SERVICES_STOP / stopOrder.length;
const levelsWithoutReadyLine = ['warn', 'error', 'fatal', 'silent'];

/**
 * The environment of every service: that of the stack, the addresses of the back ends, and what
 * processes on one machine need to share.
 */
export function serviceEnvironment(
  env: NodeJS.ProcessEnv,
  backends: { mongodb: { url: string }; redis: { url: string }; nats: { url: string } },
): NodeJS.ProcessEnv {
  const given = (name: string, otherwise: string) => env[name] || otherwise;
  return {
    ...env,
    HOST: '127.0.0.1',
    // Each takes a free one and says which.
    PORT: '0',
    MONGODB_URL: backends.mongodb.url,
    REDIS_URL: backends.redis.url,
    NATS_URL: backends.nats.url,
    // Lives as long as the stack, and so do the tokens.
    JWT_SECRET: given('JWT_SECRET', randomBytes(48).toString('base64url')),
    TRUST_PROXY: given('TRUST_PROXY', 'loopback'),
    STOP_TIMEOUT: given('STOP_TIMEOUT', String(STOP_TIMEOUT)),
    // The ready line is of level info. What the user does not want to see is left out later.
    LOG_LEVEL: levelsWithoutReadyLine.includes(env.LOG_LEVEL ?? '') ? 'info' : env.LOG_LEVEL,
  };
}
