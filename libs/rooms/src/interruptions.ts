import type { RedisConnection } from './redis-connection.ts';
import type { Subscription } from './rooms.ts';
import type { RoomsLogger } from './rooms-logger.ts';
import type { ShardSubscriptions } from './shard-subscriptions.ts';

/** What the sockets of this process may be told. */
const reason = 'Live delivery was interrupted';

/**
 * Notices that the subscriber was away, and tells so once every subscription holds again: who
 * fetches what is missing then cannot miss the next event. Breaks that follow each other before
 * that are one interruption.
 */
export class Interruptions {
  readonly #listeners = new Set<(reason: string) => void>();
  readonly #logger: RoomsLogger;

  /** @param connection that is ready: if it gets ready again, it was away */
  constructor(connection: RedisConnection, subscriptions: ShardSubscriptions, logger: RoomsLogger) {
    this.#logger = logger;
    connection.onReady(() => {
      subscriptions.confirm().then(
        () => this.#tell(),
        () => {
          // Lost again: the next connection tells.
        },
      );
    });
  }

  listen(listener: (reason: string) => void): Subscription {
    // Its own entry, so that one function can listen twice and be taken off once.
    const entry = (why: string) => listener(why);
    this.#listeners.add(entry);
    return { unsubscribe: () => this.#listeners.delete(entry) };
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener(reason);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener for interruptions failed');
      }
    }
  }
}
