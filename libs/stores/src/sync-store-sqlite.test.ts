import { openSqliteStores } from './sqlite.ts';
import { syncStoreContract } from './sync-store.contract.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

syncStoreContract('SQLite', async () => {
  const folder = temporaryFolder();
  const { syncStore, close } = openSqliteStores({ path: folder.file('chat.sqlite') });
  return {
    stores: [syncStore, syncStore],
    async close() {
      await close();
      folder.remove();
    },
  };
});
