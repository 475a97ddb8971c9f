import type { RedisConnection } from './redis-connection.ts';
import type { RoomsLogger } from './rooms-logger.ts';

export type MessageHandler = (payload: Buffer, channel: Buffer) => void;

/** Channels in one SSUBSCRIBE: few commands for many rooms, and no command that blocks Redis. */
const channelsPerCommand = 500;

/**
 * The shard channels that this process wants to hear, kept apart from what a connection happens to
 * be subscribed to. Every new connection gets the whole list; in between, changes go out once per
 * turn of the microtask queue, as one command. While Redis is away only the list changes: nothing
 * is queued, so nothing can expire, be forgotten or stay subscribed by mistake.
 */
export class ShardSubscriptions {
  readonly #connection: RedisConnection;
  readonly #logger: RoomsLogger;
  readonly #wanted = new Map<string, readonly MessageHandler[]>();
  /** What Redis was asked for on the present connection. */
  readonly #asked = new Set<string>();
  readonly #changed = new Set<string>();
  #connectionNumber = 0;
  #resubscriptions = 0;
  #flushing = false;

  constructor(connection: RedisConnection, logger: RoomsLogger) {
    this.#connection = connection;
    this.#logger = logger;
    connection.onLost(() => {
      this.#connectionNumber += 1;
      this.#asked.clear();
      this.#changed.clear();
    });
    connection.onReady(() => {
      this.#resubscriptions += this.#wanted.size;
      this.#ask([...this.#wanted.keys()], []);
    });
    connection.redis.on('smessageBuffer', (channel: Buffer, payload: Buffer) =>
      this.#hear(channel, payload),
    );
  }

  /** Channels that are wanted. */
  get size(): number {
    return this.#wanted.size;
  }

  /** Channels that new connections were given. */
  get resubscriptions(): number {
    return this.#resubscriptions;
  }

  add(channel: string, handler: MessageHandler): void {
    this.#wanted.set(channel, [...(this.#wanted.get(channel) ?? []), handler]);
    this.#change(channel);
  }

  remove(channel: string, handler: MessageHandler): void {
    const others = this.#wanted.get(channel)?.filter((other) => other !== handler) ?? [];
    if (others.length > 0) {
      this.#wanted.set(channel, others);
    } else {
      this.#wanted.delete(channel);
    }
    this.#change(channel);
  }

  /**
   * Resolves when Redis has taken up every subscription that was wanted at the call.
   *
   * @throws when the connection is not there or goes; the next one starts from the whole list.
   */
  async confirm(): Promise<void> {
    const connectionNumber = this.#connectionNumber;
    this.#flush();
    // Redis answers in order, so the answer to a ping says that all before it is done.
    await this.#connection.redis.ping();
    if (connectionNumber !== this.#connectionNumber) {
      throw new Error('the connection to Redis was lost');
    }
  }

  #change(channel: string): void {
    if (!this.#connection.ready) {
      return;
    }
    this.#changed.add(channel);
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
  }

  #flush(): void {
    this.#flushing = false;
    const changed = [...this.#changed];
    this.#changed.clear();
    if (changed.length > 0 && this.#connection.ready) {
      this.#ask(
        changed.filter((channel) => this.#wanted.has(channel) && !this.#asked.has(channel)),
        changed.filter((channel) => !this.#wanted.has(channel) && this.#asked.has(channel)),
      );
    }
  }

  #ask(subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const { redis } = this.#connection;
    for (const channels of chunksOf(subscribe)) {
      for (const channel of channels) {
        this.#asked.add(channel);
      }
      this.#watch(redis.ssubscribe(...channels));
    }
    for (const channels of chunksOf(unsubscribe)) {
      for (const channel of channels) {
        this.#asked.delete(channel);
      }
      this.#watch(redis.sunsubscribe(...channels));
    }
  }

  /** A refused subscription would leave a room deaf: a new connection starts from the whole list. */
  #watch(answer: Promise<unknown>): void {
    const connectionNumber = this.#connectionNumber;
    answer.catch((error: Error) => {
      if (connectionNumber === this.#connectionNumber) {
        this.#connection.drop(`a subscription failed: ${error.message}`);
      }
    });
  }

  #hear(channel: Buffer, payload: Buffer): void {
    for (const handler of this.#wanted.get(channel.toString()) ?? []) {
      try {
        handler(payload, channel);
      } catch (error) {
        // Thrown into ioredis' parser, it would break the connection's state.
        this.#logger.error({ err: error }, 'an event from another process could not be delivered');
      }
    }
  }
}

function* chunksOf(channels: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < channels.length; start += channelsPerCommand) {
    yield channels.slice(start, start + channelsPerCommand);
  }
}
