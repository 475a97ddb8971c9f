export interface AdmissionQueue {
  readonly waiting: number;
  /** Who came now would not even find a place to wait. */
  readonly full: boolean;
  /**
   * Resolves with true when it is one's turn, which {@link leave} must end; with false when there is
   * no place to wait or `signal` came first.
   */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
}

/**
 * Lets `atOnce` through at a time, in the order they came, and `maxWaiting` wait for it. How fast
 * they leave sets the pace: whoever is asked meanwhile is never asked more at once.
 */
export function createAdmissionQueue(options: {
  atOnce: number;
  maxWaiting: number;
}): AdmissionQueue {
  const { atOnce, maxWaiting } = options;
  const turns = new Set<() => void>();
  let inside = 0;

  function isFull(): boolean {
    return inside >= atOnce && turns.size >= maxWaiting;
  }

  return {
    get waiting() {
      return turns.size;
    },
    get full() {
      return isFull();
    },
    async enter(signal) {
      if (signal.aborted || isFull()) {
        return false;
      }
      if (inside < atOnce) {
        inside += 1;
        return true;
      }
      const admitted = Promise.withResolvers<boolean>();
      const turn = () => {
        signal.removeEventListener('abort', giveUp);
        inside += 1;
        admitted.resolve(true);
      };
      const giveUp = () => {
        turns.delete(turn);
        admitted.resolve(false);
      };
      turns.add(turn);
      signal.addEventListener('abort', giveUp, { once: true });
      return admitted.promise;
    },
    leave() {
      inside -= 1;
      const [next] = turns;
      if (next !== undefined) {
        turns.delete(next);
        next();
      }
    },
  };
}
