import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { AppError, unavailable } from '@bambochat/protocol';
import { type SqliteFacts, writeBackup } from './sqlite-backup.ts';
import { schemaSteps } from './sqlite-schema.ts';

/** Calls that may wait for a commit; beyond it the disk is too slow and callers hear so at once. */
const WRITES_WAITING_MAX = 10_000;
/** Calls that share one transaction: bounds how long one commit keeps the event loop. */
const WRITES_PER_COMMIT_MAX = 256;
/** For how long the start waits for a predecessor that is just going away. Milliseconds. */
const LOCK_TIMEOUT = 1000;

/**
 * One SQLite file, used by this process alone. `node:sqlite` works synchronously, so every call
 * here blocks the event loop for as long as it takes: keep the work of one call small.
 */
export interface SqliteDatabase {
  /** A cached prepared statement; `sql` must be a constant text, for the cache keeps it for ever. */
  prepare(sql: string): StatementSync;

  /** Runs reading statements at once. @throws AppError `UNAVAILABLE` when the disk fails. */
  read<T>(work: () => T): T;

  /**
   * Runs writing statements in a transaction and resolves when they are on the disk. Calls made in
   * one turn of the event loop share one transaction and thereby one fsync, in the order of the
   * calls; each has a savepoint, so that one that throws takes back only what it did itself.
   *
   * Rejects with what `work` threw, or AppError `UNAVAILABLE` when the disk is full or fails.
   */
  write<T>(work: () => T): Promise<T>;

  /**
   * Copies everything that is committed into another file, while reading and writing go on.
   * @throws Error when the copy cannot be written or is not whole.
   */
  backup(path: string): Promise<SqliteFacts>;

  /** Commits what waits, then closes the file. Later calls reject with `UNAVAILABLE`. */
  close(): void;
}

interface WaitingWrite {
  /** Does the work; keeps what it returned until the transaction has been committed. */
  run(): void;
  fail(error: unknown): void;
  /** The transaction is on the disk: settles the promise with the outcome of `run` or `fail`. */
  settle(): void;
}

/**
 * Opens the file, and creates it and its folder (only for this user to read) when it is missing.
 *
 * @throws Error when another process uses the file, or when a newer version of BamboChat wrote it.
 */
export function openSqliteDatabase(path: string): SqliteDatabase {
  createFile(path);
  const connection = new DatabaseSync(path, { timeout: LOCK_TIMEOUT });
  try {
    prepareConnection(connection, path);
    migrate(connection, path);
  } catch (error) {
    connection.close();
    throw error;
  }
  return createDatabase(connection);
}

function createDatabase(connection: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, StatementSync>();
  let waiting: WaitingWrite[] = [];
  let scheduled: NodeJS.Immediate | undefined;

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (!statement) {
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  }

  function runWithSavepoint(write: WaitingWrite): void {
    prepare('SAVEPOINT one_write').run();
    try {
      write.run();
    } catch (error) {
      if (!connection.isTransaction) {
        // A full or failing disk can make SQLite roll back everything by itself.
        throw error;
      }
      prepare('ROLLBACK TO one_write').run();
      write.fail(error);
    }
    prepare('RELEASE one_write').run();
  }

  function commit(writes: readonly WaitingWrite[]): void {
    try {
      prepare('BEGIN IMMEDIATE').run();
      for (const write of writes) {
        runWithSavepoint(write);
      }
      prepare('COMMIT').run();
    } catch (error) {
      rollBack();
      for (const write of writes) {
        write.fail(error);
      }
    }
    for (const write of writes) {
      write.settle();
    }
  }

  function rollBack(): void {
    try {
      if (connection.isOpen && connection.isTransaction) {
        prepare('ROLLBACK').run();
      }
    } catch {
      // The disk is failing; the error that led here is the one to report.
    }
  }

  function commitWaiting(): void {
    scheduled = undefined;
    const writes = waiting.splice(0, WRITES_PER_COMMIT_MAX);
    if (waiting.length > 0) {
      // The rest waits a turn, so that sockets are served between two long commits.
      scheduled = setImmediate(commitWaiting);
    }
    commit(writes);
  }

  return {
    prepare,

    read(work) {
      try {
        assertOpen(connection);
        return work();
      } catch (error) {
        throw asStoreError(error);
      }
    },

    write<T>(work: () => T): Promise<T> {
      if (waiting.length >= WRITES_WAITING_MAX) {
        return Promise.reject(unavailable('Storage', new Error('Too many writes are waiting')));
      }
      return new Promise<T>((resolve, reject) => {
        let settle = (): void => {};
        waiting.push({
          run() {
            const value = work();
            settle = () => resolve(value);
          },
          fail(error) {
            settle = () => reject(asStoreError(error));
          },
          settle() {
            settle();
          },
        });
        scheduled ??= setImmediate(commitWaiting);
      });
    },

    backup: (path) => writeBackup(connection, path),

    close() {
      if (!connection.isOpen) {
        return;
      }
      clearImmediate(scheduled);
      scheduled = undefined;
      while (waiting.length > 0) {
        commit(waiting.splice(0, WRITES_PER_COMMIT_MAX));
      }
      waiting = [];
      connection.close();
    },
  };
}

function assertOpen(connection: DatabaseSync): void {
  if (!connection.isOpen) {
    throw unavailable('Storage', new Error('The database is closed'));
  }
}

function createFile(path: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (existsSync(path)) {
    // Never open and close a file that may be in use: POSIX then drops all locks that this process
    // has on it, also those of SQLite.
    return;
  }
  closeSync(openSync(path, 'ax', 0o600));
  // The name of a new file is safe only once its folder is on the disk, too.
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function prepareConnection(connection: DatabaseSync, path: string): void {
  try {
    // The lock of the data folder: SQLite keeps it until this process ends, however it ends, and
    // needs no shared memory beside the file. It must be chosen before WAL is first used.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    connection.exec('PRAGMA journal_mode = WAL');
    // A commit returns when it is on the disk; `fullfsync` is what that takes on macOS.
    connection.exec('PRAGMA synchronous = FULL');
    connection.exec('PRAGMA fullfsync = ON');
    // Give the space back after a burst made the log grow. Bytes.
    connection.exec('PRAGMA journal_size_limit = 67108864');
    connection.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (error) {
    if (primaryCode(error) === SQLITE_BUSY) {
      throw new Error(
        `The database ${path} is in use by another process: two servers cannot share one data folder. Stop the other one, or choose another folder`,
        { cause: error },
      );
    }
    throw error;
  }
}

function migrate(connection: DatabaseSync, path: string): void {
  const row = connection.prepare('PRAGMA user_version').get();
  const version = Number(row?.user_version);
  if (version > schemaSteps.length) {
    throw new Error(
      `The database ${path} was written by a newer version of BamboChat (schema ${version}, this version knows ${schemaSteps.length})`,
    );
  }
  for (const [index, step] of schemaSteps.entries()) {
    if (index >= version) {
      connection.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
    }
  }
}

const SQLITE_BUSY = 5;
/** BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN: a later attempt may find them gone. */
const transientCodes = new Set([SQLITE_BUSY, 6, 7, 8, 10, 13, 14]);

/** SQLite's primary result code of an error of `node:sqlite`; undefined for any other error. */
function primaryCode(error: unknown): number | undefined {
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
    return error.errcode & 0xff;
  }
  return undefined;
}

function asStoreError(error: unknown): unknown {
  if (error instanceof AppError) {
    return error;
  }
  const code = primaryCode(error);
  const isClosed = error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
  return isClosed || (code !== undefined && transientCodes.has(code))
    ? unavailable('Storage', error)
    : error;
}
