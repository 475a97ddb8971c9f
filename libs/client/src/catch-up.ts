import { between, createBackoff } from './backoff.ts';
import { asChatError, type ChatError } from './chat-error.ts';
import type { SyncAnswer } from './shapes.ts';

/**
 * Milliseconds between two looks at what the server has: with the time a look takes below the 60 s
 * in which a missed last message must be noticed.
 */
const INTERVAL = [30_000, 45_000] as const;
/** Looks are at least this far apart, however many reasons there are. */
const SPACING = 1000;
const LIMIT = 500;

export interface CatchUp {
  /** There is a connection, live events are coming: fetch what is missing, and go on looking. */
  start(): void;
  /** Something may have been missed. */
  look(): void;
  /**
   * Something that an answer tells too has changed live. An answer that was read before and comes
   * after shows the old state, so the next look follows at once.
   */
  changed(): void;
  stop(): void;
}

/**
 * Reads `GET /sync` to its end, over and over: at each connection, when something may have been
 * missed, and from time to time in case nobody noticed. It runs beside the live events and never
 * instead of them.
 *
 * @param options.apply one answer; the list drops what it has already
 * @param options.onDone all that the server had when the look began is applied
 */
export function createCatchUp(options: {
  sync: (query: { since?: string; limit: number }) => Promise<SyncAnswer>;
  apply: (answer: SyncAnswer) => void;
  onDone: () => void;
  onError: (error: ChatError) => void;
}): CatchUp {
  const backoff = createBackoff();
  let since: string | undefined;
  let round = 0;
  let active = false;
  let running = false;
  let again = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(delay: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void run(), delay);
  }

  async function run(): Promise<void> {
    const mine = round;
    clearTimeout(timer);
    running = true;
    again = false;
    try {
      for (let hasMore = true; hasMore; ) {
        const answer = await options.sync({
          ...(since === undefined ? {} : { since }),
          limit: LIMIT,
        });
        if (mine !== round) {
          return;
        }
        // First applied, then remembered: what is not applied is asked for again.
        options.apply(answer);
        since = answer.token;
        hasMore = answer.hasMore;
      }
      running = false;
      backoff.reset();
      schedule(again ? SPACING : between(...INTERVAL));
      options.onDone();
    } catch (error) {
      if (mine !== round) {
        return;
      }
      running = false;
      const failure = asChatError(error);
      if (failure.code === 'VALIDATION') {
        // The server cannot read its own token any more; from the beginning, then.
        since = undefined;
      }
      options.onError(failure);
      schedule(SPACING + backoff.next());
    }
  }

  return {
    start() {
      round += 1;
      active = true;
      backoff.reset();
      void run();
    },
    look() {
      if (!active) {
        return;
      }
      if (running) {
        again = true;
      } else {
        schedule(Math.random() * SPACING);
      }
    },
    changed() {
      again ||= running;
    },
    stop() {
      round += 1;
      active = false;
      running = false;
      clearTimeout(timer);
    },
  };
}
