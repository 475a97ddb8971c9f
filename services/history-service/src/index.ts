import type { RestApp } from '@bambochat/rest';
import type { Service } from '@bambochat/runtime';
import type { HistoryStores } from './read-page.ts';
import { registerHistoryRoutes } from './routes.ts';
import type { SyncStores } from './sync.ts';

/** Serves what a user missed. Stateless: any number may run, each on the stores alone. */
export function createHistoryService(
  options: HistoryStores & SyncStores & { app: RestApp },
): Service {
  return {
    async start() {
      registerHistoryRoutes(options.app, options);
    },
    // The application that the routes live on finishes its requests when it closes.
    async drain() {},
    async stop() {},
  };
}
