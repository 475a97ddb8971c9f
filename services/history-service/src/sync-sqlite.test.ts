import { temporaryStores } from './history-fixture.ts';
import { syncContract } from './sync.contract.ts';

syncContract('SQLite', async () => temporaryStores());
