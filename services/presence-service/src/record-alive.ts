import type { Logger } from '@bambochat/runtime';
import type { StatusStore } from '@bambochat/stores';
import { createTrouble } from './report-trouble.ts';

/**
 * Keeps the moment at which presence was last known to work, for the day on which everything is
 * restarted. One at a time, and never an error: the next one makes good for it.
 */
export function createAliveRecorder(deps: {
  statusStore: Pick<StatusStore, 'recordAlive'>;
  /** Milliseconds between two records. */
  interval: number;
  logger: Logger;
}): {
  /** Records `aliveAt` (real milliseconds) if it is time to. */
  keep(aliveAt: number): void;
  record(aliveAt: number): Promise<void>;
} {
  const trouble = createTrouble(deps.logger, {
    begins: 'presence cannot be recorded as alive',
    ends: 'presence is recorded as alive again',
  });
  let due = 0;
  let running = false;

  async function record(aliveAt: number): Promise<void> {
    running = true;
    try {
      await deps.statusStore.recordAlive(new Date(aliveAt).toISOString());
      trouble.over();
    } catch (error) {
      trouble.failed(error);
    } finally {
      running = false;
    }
  }

  return {
    keep(aliveAt) {
      if (running || performance.now() < due) {
        return;
      }
      due = performance.now() + deps.interval;
      void record(aliveAt);
    },
    record,
  };
}
