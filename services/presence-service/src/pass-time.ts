import { type EventBus, settlesWithin } from '@bambochat/messaging';
import type { Logger } from '@bambochat/runtime';
import type { PresenceStore, SweepOutcome } from '@bambochat/stores';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';
import { createTrouble } from './report-trouble.ts';

/** Milliseconds between two rounds. */
const INTERVAL = 250;
/**
 * Milliseconds of quiet after an interruption: gateways that could not report try again within
 * this time, before their leases are looked at.
 */
const QUIET = 2500;
/** Milliseconds: a process that was not run for longer has reports waiting that it has not read. */
const STALL = 1000;
const USERS_PER_SWEEP = 500;
/** Sweeps in one round: after so many the bus is asked again. */
const SWEEPS_PER_ROUND = 50;
/** Milliseconds between two looks at the numbers for metrics. */
const GAUGE_INTERVAL = 5000;

export interface Time {
  /** Real milliseconds of the last moment at which presence was known to work. */
  readonly aliveAt: number;
  /** A sweep has succeeded here: `aliveAt` is this process' own. */
  readonly began: boolean;
  /** The last round has succeeded. */
  readonly works: boolean;
  /** Ends between two steps. Resolves when it has, or after `timeout` ms. */
  stop(timeout: number): Promise<void>;
}

/**
 * Makes time pass in the presence store while the bus works. While it does not, gateways cannot
 * renew their leases, and everybody would seem to be gone: time stands still then.
 */
export function startTime(deps: {
  bus: Pick<EventBus, 'flush'>;
  presenceStore: Pick<PresenceStore, 'sweep' | 'size'>;
  /** Until a first sweep has succeeded. Real milliseconds. */
  aliveAt: number;
  /** Told after every sweep. */
  onSwept: (outcome: SweepOutcome) => void;
  metrics: PresenceServiceMetrics;
  logger: Logger;
}): Time {
  const { bus, presenceStore, metrics, logger } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  const noBus = createTrouble(logger, {
    begins: 'no connection to gateways, presence stands still',
    ends: 'gateways can be reached again',
  });
  const noStore = createTrouble(logger, {
    begins: 'presence store fails',
    ends: 'presence store works again',
  });
  let { aliveAt } = deps;
  let began = false;
  let works = false;
  /** Something failed since the last sweep that succeeded. */
  let returning = false;
  let quietUntil = 0;
  let gaugesDue = 0;
  let endPause = () => {};

  function beQuiet(): void {
    quietUntil = performance.now() + QUIET;
  }

  function interrupted(): void {
    works = false;
    returning = true;
    beQuiet();
  }

  async function round(): Promise<void> {
    if (!(await bus.flush())) {
      metrics.sweeps.inc({ outcome: 'held' });
      noBus.failed();
      interrupted();
      return;
    }
    noBus.over();
    if (performance.now() < quietUntil) {
      metrics.sweeps.inc({ outcome: 'held' });
      return;
    }
    try {
      await sweepAll();
      if (returning) {
        // Nobody knows for how long it has been back: gateways get their time from now on.
        beQuiet();
        returning = false;
      }
      works = true;
      noStore.over();
    } catch (error) {
      if (!signal.aborted) {
        metrics.sweeps.inc({ outcome: 'failed' });
        noStore.failed(error);
        interrupted();
      }
    }
  }

  async function sweepAll(): Promise<void> {
    for (let sweeps = 0; sweeps < SWEEPS_PER_ROUND && !signal.aborted; sweeps += 1) {
      const outcome = await presenceStore.sweep({ aliveAt, limit: USERS_PER_SWEEP });
      aliveAt = Date.now();
      began = true;
      metrics.sweeps.inc({ outcome: 'done' });
      deps.onSwept(outcome);
      if (!outcome.more) {
        break;
      }
    }
    if (performance.now() >= gaugesDue) {
      gaugesDue = performance.now() + GAUGE_INTERVAL;
      const { gateways, pending, leaving } = await presenceStore.size();
      metrics.gateways.set(gateways);
      metrics.pending.set(pending);
      metrics.leaving.set(leaving);
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, INTERVAL);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    // An epoch that goes on may have been left alone, with gateways that could not report. An empty
    // store needs to begin, and has nobody to lose.
    await presenceStore.size().then(beQuiet, () => {});
    let last = performance.now();
    while (!signal.aborted) {
      if (performance.now() - last > INTERVAL + STALL) {
        interrupted();
      }
      await round();
      last = performance.now();
      await pause();
    }
  }

  const running = run();
  return {
    get aliveAt() {
      return aliveAt;
    },
    get began() {
      return began;
    },
    get works() {
      return works;
    },
    async stop(timeout) {
      ending.abort();
      endPause();
      await settlesWithin(running, timeout);
    },
  };
}
