import { openSqliteStores } from './sqlite.ts';
import { statusStoreContract } from './status-store.contract.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

statusStoreContract('SQLite', async () => {
  const folder = temporaryFolder();
  const { statusStore, close } = openSqliteStores({ path: folder.file('chat.sqlite') });
  return {
    stores: [statusStore, statusStore],
    async close() {
      await close();
      folder.remove();
    },
  };
});
