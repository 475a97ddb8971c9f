import type { RedisConnection } from './redis-connection.ts';
import type { Interruption, Subscription } from './rooms.ts';
import type { RoomsLogger } from './rooms-logger.ts';
import type { ShardSubscriptions } from './shard-subscriptions.ts';
import { Signal } from './signal.ts';

/** What the sockets of this process may be told. */
export const INTERRUPTED = 'Live delivery was interrupted';

/**
 * Notices that the subscriber was away, and tells so once every subscription holds again: who
 * fetches what is missing then cannot miss the next event. Breaks that follow each other before
 * that are one interruption.
 */
export class Interruptions {
  readonly #signal: Signal<[Interruption]>;
  #since = Date.now();
  #told = true;
  #count = 0;

  /** @param connection that is ready: if it gets ready again, it was away */
  constructor(connection: RedisConnection, subscriptions: ShardSubscriptions, logger: RoomsLogger) {
    this.#signal = new Signal(logger);
    connection.onLost(() => {
      if (this.#told) {
        this.#since = Date.now();
        this.#told = false;
        this.#count += 1;
      }
    });
    connection.onReady(() => {
      subscriptions.confirm().then(
        () => {
          this.#told = true;
          this.#signal.tell({ reason: INTERRUPTED, since: this.#since });
        },
        () => {
          // Lost again: the next connection tells.
        },
      );
    });
  }

  get count(): number {
    return this.#count;
  }

  listen(listener: (interruption: Interruption) => void): Subscription {
    return this.#signal.listen(listener);
  }
}
