import { execFile } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { schemaSteps } from './sqlite-schema.ts';

/** What a file says of itself. */
export interface SqliteFacts {
  /** Steps of the schema that it has taken. */
  readonly schema: number;
  readonly messages: number;
}

/** Pages after which SQLite brings its log into the file by itself; its own default. */
const CHECKPOINT_PAGES = 1000;

const copying = new WeakSet<DatabaseSync>();

/**
 * Copies a database while its one connection reads and writes: what was committed before the call is
 * in the copy, what comes later is not. The copy has its name only once it is whole, checked and on
 * the disk; an older one of that name is kept until then.
 *
 * The file itself is still while it is copied: new commits stay in SQLite's log. (SQLite's own
 * backup gives up when its source is written to in between.)
 *
 * @throws Error when it cannot be written, does not pass the check, or when another is being made.
 */
export async function writeBackup(connection: DatabaseSync, path: string): Promise<SqliteFacts> {
  if (copying.has(connection)) {
    throw new Error('a backup is being made already');
  }
  const source = connection.location();
  if (source === null) {
    throw new Error('a database in memory cannot be copied');
  }
  copying.add(connection);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  try {
    connection.exec('PRAGMA wal_autocheckpoint = 0');
    const moved = connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    if (Number(moved?.busy) !== 0) {
      throw new Error('the log of the database is in use');
    }
    const facts = await copyAndCheck(source, partial);
    await putInPlace(partial, path);
    return facts;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    copying.delete(connection);
    if (connection.isOpen) {
      connection.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    }
  }
}

const copyProgram = fileURLToPath(new URL('./copy-sqlite-file.ts', import.meta.url));

async function copyAndCheck(from: string, to: string): Promise<SqliteFacts> {
  const { stdout } = await promisify(execFile)(process.execPath, [copyProgram, from, to]);
  return JSON.parse(stdout) as SqliteFacts;
}

/**
 * Copies a database that nobody uses.
 * @throws Error when it is missing, or in use: then its own process has to make the copy.
 */
export async function backupSqliteFile(from: string, to: string): Promise<SqliteFacts> {
  const connection = openExclusively(from);
  try {
    return await writeBackup(connection, to);
  } finally {
    connection.close();
  }
}

/**
 * Puts a copy in the place of a database that nobody uses. What was there is kept beside it; where
 * it is now is the answer, null when there was none.
 *
 * @throws Error when the copy is damaged or of a newer version, when the database is in use, or when
 *   there is one and `force` does not say that it may be replaced. Nothing has changed then.
 */
export async function restoreSqliteFile(options: {
  from: string;
  to: string;
  force: boolean;
  now?: Date;
}): Promise<SqliteFacts & { replaced: string | null }> {
  const { from, to, force, now = new Date() } = options;
  const facts = checkSqliteFile(from);
  const exists = existsSync(to);
  if (exists) {
    // Also brings what is in its log into the file, so that one file is all there is to keep.
    openExclusively(to).close();
    if (!force) {
      throw new Error(`there is a database at ${to}: it is replaced only by force`);
    }
  }
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const partial = `${to}.partial`;
  await copyFile(from, partial);
  await chmod(partial, 0o600);
  const replaced = exists ? `${to}.replaced-${now.toISOString().replaceAll(':', '-')}` : null;
  if (replaced !== null) {
    await rename(to, replaced);
  }
  await Promise.all(['-wal', '-shm'].map((suffix) => rm(`${to}${suffix}`, { force: true })));
  await putInPlace(partial, to);
  return { ...facts, replaced };
}

/**
 * For copies, which nobody uses.
 * @throws Error when it is missing, damaged, of a newer version or no database of ours.
 */
export function checkSqliteFile(path: string): SqliteFacts {
  if (!existsSync(path)) {
    throw new Error(`there is no file ${path}`);
  }
  let facts: SqliteFacts;
  // Immutable: nobody uses it, and nothing is to be left beside it.
  const address = pathToFileURL(path);
  address.searchParams.set('immutable', '1');
  const connection = new DatabaseSync(address, { readOnly: true });
  try {
    const found = connection.prepare('PRAGMA integrity_check').all();
    const [first] = found.map((row) => String(row.integrity_check));
    if (found.length !== 1 || first !== 'ok') {
      throw new Error(first ?? 'no answer');
    }
    const schema = Number(connection.prepare('PRAGMA user_version').get()?.user_version);
    const messages = connection.prepare('SELECT count(*) AS count FROM messages').get()?.count;
    facts = { schema, messages: Number(messages) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} is no whole database of BamboChat: ${reason}`, { cause: error });
  } finally {
    connection.close();
  }
  if (facts.schema > schemaSteps.length) {
    throw new Error(
      `${path} was written by a newer version of BamboChat (schema ${facts.schema}, this version knows ${schemaSteps.length})`,
    );
  }
  return facts;
}

/** A process that uses the file holds its lock from its start to its end. */
function openExclusively(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new Error(`there is no database at ${path}`);
  }
  const connection = new DatabaseSync(path, { timeout: 1000 });
  try {
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    connection.exec('BEGIN EXCLUSIVE; COMMIT');
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return connection;
  } catch (error) {
    connection.close();
    throw new Error(`the database ${path} is in use: stop the server that uses it`, {
      cause: error,
    });
  }
}

/** A name is safe once the file and the folder are on the disk. */
async function putInPlace(partial: string, path: string): Promise<void> {
  sync(partial);
  await rename(partial, path);
  sync(dirname(path));
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
