import { temporaryStores } from './history-fixture.ts';
import { syncContract } from './sync.contract.ts';
import { syncTokensContract } from './sync-tokens.contract.ts';

syncContract('SQLite', async () => temporaryStores());
syncTokensContract('SQLite', async () => temporaryStores());
