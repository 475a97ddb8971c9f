import type { Subscription } from './rooms.ts';
import type { RoomsLogger } from './rooms-logger.ts';

/** Tells all listeners; one that throws is logged and keeps the others from nothing. */
export class Signal<Arguments extends unknown[]> {
  readonly #listeners = new Set<(...values: Arguments) => void>();
  readonly #logger: RoomsLogger;

  constructor(logger: RoomsLogger) {
    this.#logger = logger;
  }

  listen(listener: (...values: Arguments) => void): Subscription {
    // Its own entry, so that one function can listen twice and be taken off once.
    const entry = (...values: Arguments) => listener(...values);
    this.#listeners.add(entry);
    return { unsubscribe: () => this.#listeners.delete(entry) };
  }

  tell(...values: Arguments): void {
    for (const listener of this.#listeners) {
      try {
        listener(...values);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the rooms failed');
      }
    }
  }
}
