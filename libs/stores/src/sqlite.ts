import type { DirectoryStore } from './directory-store.ts';
import { createSqliteDirectoryStore } from './directory-store-sqlite.ts';
import type { FriendStore } from './friend-store.ts';
import { createSqliteFriendStore } from './friend-store-sqlite.ts';
import type { MessageStore } from './message-store.ts';
import { createSqliteMessageStore } from './message-store-sqlite.ts';
import { shareConnection } from './shared-connection.ts';
import type { SqliteFacts } from './sqlite-backup.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import type { StatusStore } from './status-store.ts';
import { createSqliteStatusStore } from './status-store-sqlite.ts';
import type { SyncStore } from './sync-store.ts';
import { createSqliteSyncStore } from './sync-store-sqlite.ts';

export {
  backupSqliteFile,
  checkSqliteFile,
  restoreSqliteFile,
  type SqliteFacts,
} from './sqlite-backup.ts';

export interface SqliteStores {
  readonly messageStore: MessageStore;
  readonly directoryStore: DirectoryStore;
  readonly friendStore: FriendStore;
  readonly statusStore: StatusStore;
  readonly syncStore: SyncStore;
  /** Copies all of it into another file, while everything goes on. */
  backup(path: string): Promise<SqliteFacts>;
  /** Closes them all. */
  close(): Promise<void>;
}

/**
 * All stores in one SQLite file at `path`, for one process. The file is closed once all of them are,
 * or by `close`.
 *
 * @throws Error when another process uses the file, when it was written by a newer version, or when
 * the folder cannot be written.
 */
export function openSqliteStores({ path }: { path: string }): SqliteStores {
  const database = openSqliteDatabase(path);
  const closers = shareConnection(
    ['messages', 'directory', 'friends', 'statuses', 'sync'],
    async () => database.close(),
  );
  return {
    messageStore: createSqliteMessageStore(database, closers.messages),
    directoryStore: createSqliteDirectoryStore(database, closers.directory),
    friendStore: createSqliteFriendStore(database, closers.friends),
    statusStore: createSqliteStatusStore(database, closers.statuses),
    syncStore: createSqliteSyncStore(database, closers.sync),
    backup: (path) => database.backup(path),
    async close() {
      await Promise.all(Object.values(closers).map((closeStore) => closeStore()));
    },
  };
}
