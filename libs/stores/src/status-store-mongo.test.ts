import { openMongoStores } from './mongo.ts';
import { mongoTestDatabase } from './mongo-database.fixture.ts';
import { statusStoreContract } from './status-store.contract.ts';

statusStoreContract('MongoDB', async () => {
  const database = await mongoTestDatabase();
  const options = { url: database.url, database: database.name };
  const [first, second] = await Promise.all([openMongoStores(options), openMongoStores(options)]);
  return {
    stores: [first.statusStore, second.statusStore],
    async close() {
      await Promise.all([first.close(), second.close()]);
      await database.close();
    },
  };
});
