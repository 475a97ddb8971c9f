import { INTERRUPTED } from './interruptions.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { Interruption, Subscription } from './rooms.ts';
import type { RoomsLogger } from './rooms-logger.ts';
import { Signal } from './signal.ts';

export interface ShardPublisherOptions {
  readonly logger: RoomsLogger;
  /** Publishes that may be on their way to Redis, unanswered. */
  readonly maxPending: number;
  /** Their size, about, in bytes. */
  readonly maxPendingBytes: number;
}

/**
 * Publishes on shard channels without ever making the caller wait. While Redis is away everything
 * is dropped; while it hangs, at most `maxPending` are kept, which go out if it comes back before
 * the connection is given up. What was on its way when a connection broke is dropped: sent again it
 * could arrive twice.
 */
export class ShardPublisher {
  readonly #connection: RedisConnection;
  readonly #options: ShardPublisherOptions;
  readonly #lost: Signal<[Interruption]>;
  #pending = 0;
  #published = 0;
  #dropped = 0;
  #pendingBytes = 0;
  #droppedInARow = 0;
  #droppedSince = 0;
  #drained: (() => void) | null = null;

  constructor(connection: RedisConnection, options: ShardPublisherOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#lost = new Signal(options.logger);
    // Not only when the next event gets through: those before may wait to be repaired.
    connection.onReady(() => this.#recover());
  }

  /** Called when publishes were dropped, and new ones get through again. */
  onLost(listener: (interruption: Interruption) => void): Subscription {
    return this.#lost.listen(listener);
  }

  /** Publishes that are on their way. */
  get pending(): number {
    return this.#pending;
  }

  /** Handed to Redis, whatever became of them. */
  get published(): number {
    return this.#published;
  }

  get dropped(): number {
    return this.#dropped;
  }

  publish(channel: string, payload: string | Buffer): void {
    const size = payload.length;
    if (
      !this.#connection.ready ||
      this.#pending >= this.#options.maxPending ||
      this.#pendingBytes + size > this.#options.maxPendingBytes
    ) {
      this.#drop(null);
      return;
    }
    this.#pending += 1;
    this.#published += 1;
    this.#pendingBytes += size;
    this.#connection.redis.spublish(channel, payload).then(
      () => {
        this.#settle(size);
        this.#recover();
      },
      (error: Error) => {
        this.#settle(size);
        this.#drop(error);
      },
    );
  }

  /** Resolves when nothing is on its way, or after `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    if (this.#pending === 0) {
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeout);
    this.#drained = resolve;
    await promise;
    clearTimeout(timer);
  }

  #settle(size: number): void {
    this.#pending -= 1;
    this.#pendingBytes -= size;
    if (this.#pending === 0) {
      this.#drained?.();
    }
  }

  /** One line in the log for each time of trouble, not one for each event. */
  #drop(error: Error | null): void {
    if (this.#droppedInARow === 0) {
      this.#droppedSince = Date.now();
      this.#options.logger.warn(
        { redis: this.#connection.address, err: error ?? this.#connection.lastError },
        'live events do not reach Redis and are dropped',
      );
    }
    this.#droppedInARow += 1;
    this.#dropped += 1;
  }

  #recover(): void {
    if (this.#droppedInARow > 0) {
      this.#options.logger.info(
        { redis: this.#connection.address, dropped: this.#droppedInARow },
        'live events reach Redis again',
      );
      this.#droppedInARow = 0;
      this.#lost.tell({ reason: INTERRUPTED, since: this.#droppedSince });
    }
  }
}
