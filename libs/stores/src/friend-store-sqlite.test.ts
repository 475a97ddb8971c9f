import { friendStoreContract } from './friend-store.contract.ts';
import { openSqliteStores } from './sqlite.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

friendStoreContract('SQLite', async () => {
  const folder = temporaryFolder();
  const { friendStore, close } = openSqliteStores({ path: folder.file('chat.sqlite') });
  return {
    stores: [friendStore, friendStore],
    async close() {
      await close();
      folder.remove();
    },
  };
});
