/** A bounded waiting line in front of a few places. */
export interface Turns {
  /** @returns null when the line is full; else what the task gives, once it had its turn */
  take<Result>(task: () => Promise<Result>): Promise<Result> | null;
}

export function createTurns(options: { atOnce: number; waitingMax: number }): Turns {
  const line: (() => void)[] = [];
  let running = 0;

  async function run<Result>(task: () => Promise<Result>): Promise<Result> {
    try {
      return await task();
    } finally {
      running -= 1;
      line.shift()?.();
    }
  }

  return {
    take(task) {
      if (running < options.atOnce) {
        running += 1;
        return run(task);
      }
      if (line.length >= options.waitingMax) {
        return null;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      line.push(() => {
        // The place goes over at once: nobody who comes in between can take it.
        running += 1;
        resolve();
      });
      return promise.then(() => run(task));
    },
  };
}
