import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** Milliseconds until the wait fails. Default 10,000. */
  readonly timeout?: number;
  /** Milliseconds between two probes. Default 25. */
  readonly interval?: number;
  /** What is awaited, for the error message. */
  readonly describe?: string;
}

/**
 * Calls `probe` until it gives a truthy value and resolves with that value. A probe that throws or
 * rejects counts as "not yet". A probe that hangs past the deadline is abandoned.
 *
 * @throws Error at the deadline, naming `describe` and the last value or error; the last error is
 * its `cause`.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<T> {
  const { timeout = 10_000, interval = 25, describe = 'the condition' } = options;
  const deadline = performance.now() + timeout;
  const late = Symbol('late');
  let last = 'the probe has not answered yet';
  let cause: unknown;
  while (true) {
    const timer = new AbortController();
    try {
      const outcome = await Promise.race([
        Promise.resolve().then(probe),
        delay(Math.max(0, deadline - performance.now()), late, { signal: timer.signal }),
      ]);
      if (outcome === late) {
        break;
      }
      if (outcome) {
        return outcome as T;
      }
      last = `last value: ${inspect(outcome, { depth: 4, breakLength: Infinity })}`;
      cause = undefined;
    } catch (error) {
      last = `last error: ${error instanceof Error ? error.message : inspect(error)}`;
      cause = error;
    } finally {
      timer.abort();
    }
    if (performance.now() + interval > deadline) {
      break;
    }
    await delay(interval);
  }
  throw new Error(`Waited ${timeout} ms for ${describe}; ${last}`, { cause });
}
