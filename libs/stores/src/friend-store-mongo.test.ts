import { friendStoreContract } from './friend-store.contract.ts';
import { openMongoStores } from './mongo.ts';
import { mongoTestDatabase } from './mongo-database.fixture.ts';

friendStoreContract('MongoDB', async () => {
  const database = await mongoTestDatabase();
  const options = { url: database.url, database: database.name };
  const [first, second] = await Promise.all([openMongoStores(options), openMongoStores(options)]);
  return {
    stores: [first.friendStore, second.friendStore],
    async close() {
      await Promise.all([first.close(), second.close()]);
      await database.close();
    },
  };
});
