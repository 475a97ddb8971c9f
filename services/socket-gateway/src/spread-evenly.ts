export interface Spread {
  stop(): void;
}

const SLICES = 50;

/** Acts on every item once, spread over `duration` ms, in slices of which the first waits as well. */
export function spreadEvenly<Item>(
  items: Iterable<Item>,
  duration: number,
  act: (item: Item) => void,
): Spread {
  // Emptied as it goes: what was acted on is not held on to.
  const waiting = [...items];
  const perSlice = Math.ceil(waiting.length / SLICES);
  const timer = setInterval(() => {
    for (const item of waiting.splice(0, perSlice)) {
      act(item);
    }
    if (waiting.length === 0) {
      clearInterval(timer);
    }
  }, duration / SLICES);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
