import { settlesWithin } from '@bambochat/messaging';
import type { UserId } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { PresenceStore, StatusStore } from '@bambochat/stores';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';

/** What `declareLost` takes. */
const USERS_PER_PAGE = 500;

export interface Recovery {
  /** Does nothing while one is under way. */
  begin(): void;
  /** Ends between two pages: another replica takes it over. At most `timeout` ms. */
  stop(timeout: number): Promise<void>;
}

/**
 * After everything was restarted or the presence store was emptied: whoever friends believe to be
 * online and who has not come back during the warm-up is gone. One that fails half way is handed out
 * again by the next sweep and begins anew; what it did does not matter then.
 */
export function createRecovery(deps: {
  presenceStore: Pick<PresenceStore, 'declareLost' | 'settle'>;
  statusStore: Pick<StatusStore, 'onlineUsers'>;
  metrics: PresenceServiceMetrics;
  logger: Logger;
}): Recovery {
  const { presenceStore, statusStore, metrics, logger } = deps;
  let running: Promise<void> | null = null;
  let stopped = false;

  async function recover(): Promise<void> {
    let after: UserId | null = null;
    let asked = 0;
    while (!stopped) {
      const page: UserId[] = await statusStore.onlineUsers(after, USERS_PER_PAGE);
      if (page.length > 0) {
        await presenceStore.declareLost(page);
      }
      asked += page.length;
      const last = page.at(-1);
      if (last === undefined || page.length < USERS_PER_PAGE) {
        await presenceStore.settle();
        metrics.recoveries.inc({ outcome: 'done' });
        logger.info({ users: asked }, 'presence recovered');
        return;
      }
      after = last;
    }
  }

  return {
    begin() {
      if (stopped || running !== null) {
        return;
      }
      running = recover()
        .catch((error: unknown) => {
          metrics.recoveries.inc({ outcome: 'failed' });
          if (!stopped) {
            logger.warn({ err: error }, 'presence recovery failed and will be tried again');
          }
        })
        .finally(() => {
          running = null;
        });
    },
    async stop(timeout) {
      stopped = true;
      await settlesWithin(running ?? Promise.resolve(), timeout);
    },
  };
}
