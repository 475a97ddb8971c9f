import type { DirectoryStore } from './directory-store.ts';
import { createSqliteDirectoryStore } from './directory-store-sqlite.ts';
import type { MessageStore } from './message-store.ts';
import { createSqliteMessageStore } from './message-store-sqlite.ts';
import { shareConnection } from './shared-connection.ts';
import { openSqliteDatabase } from './sqlite-database.ts';

export interface SqliteStores {
  readonly messageStore: MessageStore;
  readonly directoryStore: DirectoryStore;
  /** Closes both. */
  close(): Promise<void>;
}

/**
 * Both stores in one SQLite file at `path`, for one process. The file is closed once both stores
 * are, or by `close`.
 *
 * @throws Error when another process uses the file, when it was written by a newer version, or when
 * the folder cannot be written.
 */
export function openSqliteStores({ path }: { path: string }): SqliteStores {
  const database = openSqliteDatabase(path);
  const closers = shareConnection(['messages', 'directory'], async () => database.close());
  return {
    messageStore: createSqliteMessageStore(database, closers.messages),
    directoryStore: createSqliteDirectoryStore(database, closers.directory),
    async close() {
      await Promise.all([closers.messages(), closers.directory()]);
    },
  };
}
