/** How many may wait for their confirmation. */
export interface WaitingBound {
  /** Whether one more may wait, beside so many, of whom the first came so many milliseconds ago. */
  admits(waiting: number, oldest: number): boolean;
  /** One was answered; so many wait still. */
  answered(waiting: number): void;
}

export interface WaitingBoundOptions {
  /** Never more. */
  readonly max: number;
  /** Milliseconds that one more may have to wait, to judge by how fast they are answered. */
  readonly wait: number;
  readonly now?: () => number;
}

/** So many may always wait: a store that answers late is no overload. */
const ALWAYS = 200;
/** So many may wait as long as nobody has waited too long: a burst is no overload. */
const BURST = 1000;
/** Milliseconds without any answer: nothing moves. */
const STALLED_AFTER = 2000;
/** Milliseconds. */
const SLOT = 100;
/** In which answers are counted. */
const SLOTS = 10;

/**
 * Tells overload from an outage. While more comes than goes, everyone waits for all who came before:
 * what is answered in a second says how long that is, and past `wait` the next one is refused at once,
 * who can try again, instead of waiting ever longer. While nothing is answered at all, for want of a
 * store, what was accepted is kept for when it is back, up to `max`; so is what comes until twice as
 * many as waited then have been answered: by then the queue is gone if half as many came as went.
 */
export function createWaitingBound(options: WaitingBoundOptions): WaitingBound {
  const { max, wait, now = () => performance.now() } = options;
  /** Answers in each of the last slots; the newest one is `slot`. */
  const counts = new Array<number>(SLOTS).fill(0);
  let slot = Math.floor(now() / SLOT);
  let lastSecond = 0;
  let lastAnswer = Number.NEGATIVE_INFINITY;
  /** Answers until the queue of an outage is judged like any other. */
  let recovering = 0;

  function advance(): void {
    const current = Math.floor(now() / SLOT);
    for (let passed = 0; slot < current && passed < SLOTS; passed += 1) {
      slot += 1;
      lastSecond -= counts[slot % SLOTS] ?? 0;
      counts[slot % SLOTS] = 0;
    }
    slot = current;
  }

  return {
    admits(waiting, oldest) {
      if (recovering > 0 || now() - lastAnswer > STALLED_AFTER) {
        return waiting < max;
      }
      advance();
      const within = (lastSecond * wait) / (SLOT * SLOTS);
      return waiting < Math.min(max, Math.max(oldest > wait ? ALWAYS : BURST, within));
    },
    answered(waiting) {
      advance();
      const at = now();
      recovering = at - lastAnswer > STALLED_AFTER ? 2 * waiting : Math.max(0, recovering - 1);
      lastAnswer = at;
      counts[slot % SLOTS] = (counts[slot % SLOTS] ?? 0) + 1;
      lastSecond += 1;
    },
  };
}
