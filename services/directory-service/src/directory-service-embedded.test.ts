import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { afterAll, describe } from 'vitest';
import { directoryServiceContract } from './directory-service.contract.ts';

describe('directory-service on SQLite and the memory bus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'directory-service-'));
  const stores = openSqliteStores({ path: join(folder, 'directory.db') });
  // One bus: in one process every service shares it.
  const bus = createMemoryEventBus();
  afterAll(async () => {
    await stores.close();
    rmSync(folder, { recursive: true, force: true });
  });
  directoryServiceContract(() => ({ ...stores, bus: () => bus }));
});
