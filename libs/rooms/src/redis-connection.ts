import type { Readable } from 'node:stream';
import { Redis } from 'ioredis';
import type { RoomsLogger } from './rooms-logger.ts';

export interface RedisConnectionOptions {
  readonly url: string;
  /** What `CLIENT LIST` of Redis shows. */
  readonly name: string;
  /** Milliseconds between two pings. */
  readonly pingInterval: number;
  /** Milliseconds that a ping or a handshake may take before the connection is given up. */
  readonly pingTimeout: number;
  /** Milliseconds between two attempts to connect, at most. */
  readonly maxRetryDelay: number;
  readonly logger: RoomsLogger;
}

const firstRetryDelay = 50;
/** How long a connection that is given up may take to say goodbye. */
const farewellTimeout = 100;
const tcpConnectTimeout = 5_000;

/**
 * One connection to Redis that comes back by itself, for ever, and keeps nothing for later.
 *
 * ioredis would queue commands while it is not connected, send them again after a reconnect and
 * subscribe again. All three are off: a command either goes out now or fails now, and what must
 * hold on a new connection is the business of the `onReady` listener. A Redis that hangs is noticed
 * by pings, since TCP does not tell.
 */
export class RedisConnection {
  /** Only to send commands: every promise must be handled, they reject when the connection goes. */
  readonly redis: Redis;
  /** The URL without credentials. */
  readonly address: string;
  readonly #options: RedisConnectionOptions;
  readonly #readyListeners: (() => void)[] = [];
  readonly #lostListeners: (() => void)[] = [];
  #ready = false;
  #connects = 0;
  #closed = false;
  #failures = 0;
  #lastError: Error | null = null;
  #pong: Promise<void> | null = null;
  #pingTimer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  /** @throws Error when the URL is none of Redis. */
  constructor(options: RedisConnectionOptions) {
    this.address = withoutCredentials(options.url);
    this.#options = options;
    this.redis = new Redis(options.url, {
      connectionName: options.name,
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      // Zero: what was on its way when the connection broke fails at once, instead of waiting in a
      // promise that nobody settles.
      maxRetriesPerRequest: 0,
      connectTimeout: tcpConnectTimeout,
      disconnectTimeout: farewellTimeout,
      retryStrategy: () => this.#nextDelay(),
    });
    this.redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.redis.on('connect', () => {
      this.#expect('the handshake took too long');
      receiveAtOnce(this.redis);
    });
    this.redis.on('ready', () => this.#becomeReady());
    this.redis.on('close', () => this.#becomeLost());
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Times that it got ready. */
  get connects(): number {
    return this.#connects;
  }

  /** What went wrong last; null if nothing did. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** Called on every new connection, before anything else can use it. */
  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
  }

  /** Called once when a connection that was ready is gone or given up. */
  onLost(listener: () => void): void {
    this.#lostListeners.push(listener);
  }

  /** Resolves when it is connected. @throws Error when it is not after `timeout` milliseconds. */
  async firstReady(timeout: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      const why = describe(this.#lastError) ?? 'it does not answer';
      reject(
        new Error(`Could not connect to Redis at ${this.address} in ${timeout} ms: ${why}`, {
          cause: this.#lastError,
        }),
      );
    }, timeout);
    this.onReady(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws Error when Redis does not answer within `timeout` milliseconds. */
  async check(timeout: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer in ${timeout} ms`)), timeout);
    try {
      await Promise.race([this.#ping(), late.promise]);
    } catch (error) {
      throw new Error(`Redis at ${this.address} does not answer`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives the connection up and starts a new one. */
  drop(reason: string): void {
    const { status } = this.redis;
    if (this.#closed || (status !== 'ready' && status !== 'connect')) {
      return;
    }
    this.#options.logger.warn(
      { redis: this.address, connection: this.#options.name, reason },
      'a connection to Redis is given up',
    );
    this.#becomeLost();
    this.redis.disconnect(true);
  }

  /** Ends it for good. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#becomeLost();
    const { status } = this.redis;
    const ends = status === 'ready' || status === 'connect' || status === 'connecting';
    const ended = new Promise<void>((resolve) => this.redis.once('end', () => resolve()));
    this.redis.disconnect();
    if (ends) {
      await ended;
    }
  }

  #becomeReady(): void {
    this.#expectNothing();
    if (this.#closed) {
      return;
    }
    this.#ready = true;
    this.#connects += 1;
    this.#options.logger.info(
      { redis: this.address, connection: this.#options.name },
      'connected to Redis',
    );
    this.#schedulePing();
    for (const listener of this.#readyListeners) {
      listener();
    }
  }

  #becomeLost(): void {
    this.#expectNothing();
    clearTimeout(this.#pingTimer);
    this.#pong = null;
    if (!this.#ready) {
      return;
    }
    this.#ready = false;
    if (!this.#closed) {
      this.#options.logger.warn(
        { redis: this.address, connection: this.#options.name, err: this.#lastError },
        'the connection to Redis is lost',
      );
    }
    for (const listener of this.#lostListeners) {
      listener();
    }
  }

  /** Counts from the last ping that was answered, so that a server which refuses us is left alone. */
  #nextDelay(): number {
    const ceiling = Math.min(this.#options.maxRetryDelay, firstRetryDelay * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return ceiling / 2 + (Math.random() * ceiling) / 2;
  }

  #schedulePing(): void {
    this.#pingTimer = setTimeout(() => {
      this.#expect('Redis does not answer');
      this.#ping().then(
        () => {
          this.#expectNothing();
          this.#failures = 0;
          this.#schedulePing();
        },
        (error: Error) => this.drop(error.message),
      );
    }, this.#options.pingInterval);
  }

  /** Pings are shared, so that there is never more than one on its way. */
  #ping(): Promise<void> {
    if (!this.#ready) {
      return Promise.reject(this.#lastError ?? new Error('not connected'));
    }
    this.#pong ??= this.redis.ping().then(
      () => {
        this.#pong = null;
      },
      (error: unknown) => {
        this.#pong = null;
        throw error;
      },
    );
    return this.#pong;
  }

  #expect(otherwise: string): void {
    this.#expectNothing();
    this.#deadline = setTimeout(() => {
      // When this process itself was busy or stopped, the answer may lie in the socket, unread: an
      // immediate runs after the next look at the sockets.
      this.#lastLook = setImmediate(() => this.drop(otherwise));
    }, this.#options.pingTimeout);
  }

  #expectNothing(): void {
    clearTimeout(this.#deadline);
    clearImmediate(this.#lastLook);
  }
}

/**
 * ioredis prepends its listener of the stream's data, of which Node's streams take no notice: they
 * would queue what came and hand it on in a later tick, each message by way of four functions more.
 * Any other listener makes them hand it on at once.
 */
function receiveAtOnce(redis: Redis): void {
  (redis as unknown as { stream: Readable }).stream.on('data', () => {});
}

/** Node gives an empty message when several addresses of one host name refused. */
function describe(error: (Error & { code?: string }) | null): string | undefined {
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
