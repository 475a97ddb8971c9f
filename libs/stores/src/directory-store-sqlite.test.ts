import { directoryStoreContract } from './directory-store.contract.ts';
import { openSqliteStores } from './sqlite.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

directoryStoreContract('SQLite', async () => {
  const folder = temporaryFolder();
  const { directoryStore, close } = openSqliteStores({ path: folder.file('chat.sqlite') });
  return {
    stores: [directoryStore, directoryStore],
    async close() {
      await close();
      folder.remove();
    },
  };
});
