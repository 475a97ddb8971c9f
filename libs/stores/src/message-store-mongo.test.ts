import { messageStoreContract } from './message-store.contract.ts';
import { openMongoStores } from './mongo.ts';
import { mongoTestDatabase } from './mongo-database.fixture.ts';

messageStoreContract('MongoDB', async () => {
  const database = await mongoTestDatabase();
  const options = { url: database.url, database: database.name };
  const [first, second] = await Promise.all([openMongoStores(options), openMongoStores(options)]);
  return {
    stores: [first.messageStore, second.messageStore],
    async close() {
      await Promise.all([first.close(), second.close()]);
      await database.close();
    },
  };
});
