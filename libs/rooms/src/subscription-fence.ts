import { unavailable } from '@bambochat/protocol';
import type { RedisConnection } from './redis-connection.ts';
import type { ShardSubscriptions } from './shard-subscriptions.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Lets callers wait until Redis has taken up their subscriptions. One round trip is on its way at a
 * time; whoever comes meanwhile shares the next. A round trip that fails with its connection is
 * made again on the next one, until the caller's time is up.
 */
export class SubscriptionFence {
  readonly #connection: RedisConnection;
  readonly #subscriptions: ShardSubscriptions;
  readonly #timeout: number;
  readonly #waiting = new Set<Waiter>();
  #busy = false;
  #closed = false;

  /** @param timeout milliseconds until a caller is refused */
  constructor(connection: RedisConnection, subscriptions: ShardSubscriptions, timeout: number) {
    this.#connection = connection;
    this.#subscriptions = subscriptions;
    this.#timeout = timeout;
    connection.onReady(() => this.#run());
  }

  /** @throws AppError `UNAVAILABLE` */
  pass(): Promise<void> {
    if (this.#closed) {
      return Promise.reject(unavailable('Live delivery'));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(unavailable('Live delivery', this.#connection.lastError ?? undefined));
      }, this.#timeout);
      const waiter: Waiter = { resolve, reject, timer };
      this.#waiting.add(waiter);
      this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiting) {
      clearTimeout(waiter.timer);
      waiter.reject(unavailable('Live delivery'));
    }
    this.#waiting.clear();
  }

  #run(): void {
    if (this.#busy || this.#waiting.size === 0 || !this.#connection.ready) {
      return;
    }
    this.#busy = true;
    // One microtask later: all that ask in this turn share the round trip.
    queueMicrotask(() => {
      const served = [...this.#waiting];
      this.#subscriptions.confirm().then(
        () => {
          this.#busy = false;
          for (const waiter of served) {
            clearTimeout(waiter.timer);
            this.#waiting.delete(waiter);
            waiter.resolve();
          }
          this.#run();
        },
        () => {
          // They keep waiting for the next connection. Not at once: ioredis may yet have to tell
          // that this one is gone.
          setImmediate(() => {
            this.#busy = false;
            this.#run();
          });
        },
      );
    });
  }
}
