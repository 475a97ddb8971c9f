import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '@bambochat/protocol';

/** For how long a call yields to others that change the same document. Milliseconds. */
const RACE_TIMEOUT = 5000;
const RACE_PAUSE_MAX = 20;

/**
 * Attempts a compare-and-swap until nobody comes in between, with a random pause after each loss.
 *
 * @param attempt resolves with undefined when another writer was faster
 * @throws AppError `UNAVAILABLE` when others have been faster for 5 s
 */
export async function untilUncontested<Outcome>(
  attempt: () => Promise<Outcome | undefined>,
): Promise<Outcome> {
  const deadline = performance.now() + RACE_TIMEOUT;
  while (true) {
    const outcome = await attempt();
    if (outcome !== undefined) {
      return outcome;
    }
    if (performance.now() > deadline) {
      throw unavailable('Storage', new Error('Others keep changing this document'));
    }
    await delay(Math.random() * RACE_PAUSE_MAX);
  }
}
