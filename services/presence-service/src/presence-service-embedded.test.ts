import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryEventBus } from '@bambochat/messaging/memory';
import type { PresenceStore } from '@bambochat/stores';
import { createMemoryPresenceStore } from '@bambochat/stores/memory';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { describe } from 'vitest';
import { testDurations } from './presence-fixture.ts';
import { presenceServiceContract } from './presence-service.contract.ts';

describe('presence-service on SQLite, the memory bus and presence in memory', () => {
  presenceServiceContract(async (overrides) => {
    const durations = { ...testDurations, ...overrides };
    const folder = mkdtempSync(join(tmpdir(), 'presence-service-'));
    const stores = openSqliteStores({ path: join(folder, 'presence.db') });
    // In one process every service shares these.
    const bus = createMemoryEventBus();
    let store: PresenceStore = createMemoryPresenceStore({ durations });
    const presence = new Proxy(store, {
      get(_first, name) {
        const value: unknown = Reflect.get(store, name);
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
    return {
      ...stores,
      durations,
      bus: () => bus,
      openPresence: async () => presence,
      async emptyPresence() {
        store = createMemoryPresenceStore({ durations });
      },
      async [Symbol.asyncDispose]() {
        await stores.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});
