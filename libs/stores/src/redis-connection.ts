import { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** What `CLIENT LIST` of Redis shows. */
  readonly name: string;
  readonly scripts: Record<string, { lua: string; numberOfKeys: number }>;
  /** Milliseconds that the first connection may take, with retries. */
  readonly connectTimeout: number;
}

/** Milliseconds until a command that was not answered rejects; what it does may still happen. */
const commandTimeout = 2_000;
/** Milliseconds of silence, while an answer is due, after which the connection is given up. */
const socketTimeout = 5_000;
const tcpConnectTimeout = 5_000;
const firstRetryDelay = 50;
const maxRetryDelay = 2_000;
/** Milliseconds that a connection which is given up may take to say goodbye. */
const farewellTimeout = 100;

/**
 * One connection to Redis that comes back by itself, for ever, and keeps nothing for later: a
 * command goes out now or rejects now, and none is sent twice.
 *
 * @throws Error that names the address, without credentials, when the URL is none of Redis, when
 * Redis cannot be used within `connectTimeout`, or when it is older than 6.2.
 */
export async function openRedisConnection(options: RedisConnectionOptions): Promise<Redis> {
  const address = withoutCredentials(options.url);
  const redis = new Redis(options.url, {
    connectionName: options.name,
    scripts: options.scripts,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout,
    socketTimeout,
    connectTimeout: tcpConnectTimeout,
    disconnectTimeout: farewellTimeout,
    retryStrategy: retryDelay,
    // A primary that has become a replica: the same name leads to another server next time.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    if (!(await becomesReady(redis, options.connectTimeout))) {
      const why = describe(lastError) ?? 'it does not answer';
      throw new Error(
        `Could not connect to Redis at ${address} in ${options.connectTimeout} ms: ${why}`,
        { cause: lastError },
      );
    }
    await requireRandomFields(redis, address);
  } catch (error) {
    await closeRedisConnection(redis);
    throw error;
  }
  return redis;
}

/** Ends it for good; commands that wait for an answer reject. Never rejects; can be repeated. */
export async function closeRedisConnection(redis: Redis): Promise<void> {
  // Between two attempts to connect there is nothing that could end.
  const ends = ['ready', 'connect', 'connecting'].includes(redis.status);
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  if (ends) {
    await ended;
  }
}

function retryDelay(attempt: number): number {
  const ceiling = Math.min(maxRetryDelay, firstRetryDelay * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

async function becomesReady(redis: Redis, timeout: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeout);
  redis.once('ready', () => resolve(true));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** What the scripts need most: HRANDFIELD is in Redis since 6.2. Better at the start than never. */
async function requireRandomFields(redis: Redis, address: string): Promise<void> {
  try {
    await redis.hrandfield('bambochat');
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError' && !isPassing(error)) {
      const why = error.message.startsWith('ERR unknown command')
        ? `it must be version 6.2 or newer (${error.message})`
        : error.message;
      throw new Error(`Redis at ${address} cannot be used: ${why}`, { cause: error });
    }
    // The connection broke just now: it comes back by itself.
  }
}

function isPassing(error: Error): boolean {
  return /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b/.test(error.message);
}

/** Node gives an empty message when several addresses of one host name refused. */
function describe(error: (Error & { code?: string }) | undefined): string | undefined {
  return error?.message || error?.code;
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) {
    throw new Error('The URL of Redis is not valid');
  }
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new Error(`The URL of Redis must begin with redis:// or rediss://, not ${protocol}//`);
  }
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
