import type { DirectoryStore } from './directory-store.ts';
import { createMongoDirectoryStore } from './directory-store-mongo.ts';
import type { FriendStore } from './friend-store.ts';
import { createMongoFriendStore } from './friend-store-mongo.ts';
import type { MessageStore } from './message-store.ts';
import { createMongoMessageStore } from './message-store-mongo.ts';
import { collectionsOf } from './mongo-collections.ts';
import { type MongoFigures, type MongoOptions, openMongoDatabase } from './mongo-database.ts';
import { shareConnection } from './shared-connection.ts';
import type { StatusStore } from './status-store.ts';
import { createMongoStatusStore } from './status-store-mongo.ts';
import type { SyncStore } from './sync-store.ts';
import { createMongoSyncStore } from './sync-store-mongo.ts';

export type { MongoFigures, MongoOptions } from './mongo-database.ts';
export {
  MigrationLockError,
  type MongoMigration,
  migrateMongo,
  mongoMigrations,
  pendingMigrations,
  updateInBatches,
} from './mongo-migrations.ts';

export interface MongoStores {
  readonly messageStore: MessageStore;
  readonly directoryStore: DirectoryStore;
  readonly friendStore: FriendStore;
  readonly statusStore: StatusStore;
  readonly syncStore: SyncStore;
  /** The connections that they share; for metrics. */
  figures(): MongoFigures;
  /** Closes them all. */
  close(): Promise<void>;
}

/**
 * All stores in one MongoDB database. The connections are closed once all of them are, or by
 * `close`.
 *
 * @throws Error when the URL is not valid or the server cannot be used within `connectTimeout`; see
 * {@link openMongoDatabase}.
 */
export async function openMongoStores(options: MongoOptions): Promise<MongoStores> {
  const { database, check, close, figures } = await openMongoDatabase(options);
  const collections = collectionsOf(database);
  const closers = shareConnection(['messages', 'directory', 'friends', 'statuses', 'sync'], close);
  return {
    messageStore: createMongoMessageStore(collections, { check, close: closers.messages }),
    directoryStore: createMongoDirectoryStore(collections, { check, close: closers.directory }),
    friendStore: createMongoFriendStore(collections, { check, close: closers.friends }),
    statusStore: createMongoStatusStore(collections, { check, close: closers.statuses }),
    syncStore: createMongoSyncStore(collections, { check, close: closers.sync }),
    figures,
    async close() {
      await Promise.all(Object.values(closers).map((closeStore) => closeStore()));
    },
  };
}
