/** How many may wait for their confirmation. */
export interface WaitingBound {
  /** Whether one more may wait, beside so many. */
  admits(waiting: number): boolean;
  /** One was answered; so many wait still. */
  answered(waiting: number): void;
}

export interface WaitingBoundOptions {
  /** Never more. */
  readonly max: number;
  /** Milliseconds that one more may have to wait, to judge by how many can be answered. */
  readonly wait: number;
  readonly now?: () => number;
}

/** So many may always wait: neither a burst nor a store that answers late is overload. */
const ALWAYS = 1000;
/** Milliseconds without any answer: nothing moves. */
const STALLED_AFTER = 2000;
const SECOND = 1000;
/** Whose best one says how many can be answered. */
const SECONDS = 60;

/**
 * Tells overload from an outage. While more comes than goes, everyone waits for all who came before.
 * How many were answered in the best second of the last minute says how long that is: past `wait` the
 * next one is refused at once, who can try again, instead of waiting ever longer. Not the second that
 * runs: fewer who wait make smaller batches and fewer answers, and the bound would follow them down.
 *
 * While nothing is answered at all, for want of a store, what comes is kept for when it is back: as
 * much as would have been answered meanwhile. That bound stays until twice as many as waited have
 * been answered; by then the queue is gone, if half as many came as went.
 */
export function createWaitingBound(options: WaitingBoundOptions): WaitingBound {
  const { max, wait, now = () => performance.now() } = options;
  /** Answers in each of the last seconds that had any; the newest one is `second`. */
  const counts = new Array<number>(SECONDS).fill(0);
  let second = Math.floor(now() / SECOND);
  let best = 0;
  let lastAnswer = now();
  /** Since when somebody waits. */
  let waitingSince = now();
  let recovering = 0;
  let limitOfOutage = 0;

  function limit(): number {
    const silent = now() - Math.max(lastAnswer, waitingSince);
    const within = (best * (wait + silent)) / SECOND;
    return Math.min(max, Math.max(ALWAYS, within, recovering > 0 ? limitOfOutage : 0));
  }

  /** Only when something is answered: what was before an outage counts through all of it. */
  function advance(): void {
    const current = Math.floor(now() / SECOND);
    if (current === second) {
      return;
    }
    for (let passed = 0; second < current && passed < SECONDS; passed += 1) {
      second += 1;
      counts[second % SECONDS] = 0;
    }
    second = current;
    best = Math.max(...counts);
  }

  return {
    admits(waiting) {
      if (waiting === 0) {
        waitingSince = now();
      }
      return waiting < limit();
    },
    answered(waiting) {
      if (now() - Math.max(lastAnswer, waitingSince) > STALLED_AFTER) {
        limitOfOutage = limit();
        recovering = 2 * waiting;
      } else {
        recovering = Math.max(0, recovering - 1);
      }
      advance();
      lastAnswer = now();
      const count = (counts[second % SECONDS] ?? 0) + 1;
      counts[second % SECONDS] = count;
      best = Math.max(best, count);
    },
  };
}
