import { openMongoStores } from './mongo.ts';
import { mongoTestDatabase } from './mongo-database.fixture.ts';
import { syncStoreContract } from './sync-store.contract.ts';

syncStoreContract('MongoDB', async () => {
  const database = await mongoTestDatabase();
  const options = { url: database.url, database: database.name };
  const [first, second] = await Promise.all([openMongoStores(options), openMongoStores(options)]);
  return {
    stores: [first.syncStore, second.syncStore],
    async close() {
      await Promise.all([first.close(), second.close()]);
      await database.close();
    },
  };
});
