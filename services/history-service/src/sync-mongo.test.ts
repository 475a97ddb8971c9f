import { openMongoStores } from '@bambochat/stores/mongo';
import { startBackends } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { syncContract } from './sync.contract.ts';
import { syncTokensContract } from './sync-tokens.contract.ts';

async function open() {
  const backends = await startBackends({ names: ['mongodb'] });
  const stores = await openMongoStores({
    url: backends.mongodb.url,
    database: `bambochat-history-${uuidv7()}`,
  });
  return {
    ...stores,
    async close() {
      await stores.close();
      await backends.stop();
    },
  };
}

syncContract('MongoDB', open);
syncTokensContract('MongoDB', open);
