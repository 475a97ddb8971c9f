export interface Backoff {
  /** Milliseconds to wait before the next attempt: anywhere up to a limit that doubles. */
  next(): number;
  reset(): void;
}

/** Full jitter: clients that lost the same server come back evenly spread, and never in step. */
export function createBackoff(options: { first?: number; max?: number } = {}): Backoff {
  const { first = 1000, max = 60_000 } = options;
  let attempts = 0;
  return {
    next() {
      // 2 ** 30 is past every limit; further attempts must not overflow.
      const limit = Math.min(max, first * 2 ** Math.min(attempts, 30));
      attempts += 1;
      return Math.random() * limit;
    },
    reset() {
      attempts = 0;
    },
  };
}

/** Anywhere between the two. */
export function between(low: number, high: number): number {
  return low + Math.random() * (high - low);
}
