import { messageStoreContract } from './message-store.contract.ts';
import { openSqliteStores } from './sqlite.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

messageStoreContract('SQLite', async () => {
  const folder = temporaryFolder();
  const { messageStore, close } = openSqliteStores({ path: folder.file('chat.sqlite') });
  return {
    stores: [messageStore, messageStore],
    async close() {
      await close();
      folder.remove();
    },
  };
});
