import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Collection, Db, Document, Filter, UpdateFilter } from 'mongodb';
import { createIndexes } from './mongo-collections.ts';

/**
 * `expand`: adds what older programs do not know and do not mind (a collection, an index, a field
 * that may be absent). `migrate`: fills what was added, while older and newer programs write.
 * `contract`: takes away what only older programs need: they refuse to start from then on.
 */
export type MigrationPhase = 'expand' | 'migrate' | 'contract';

export interface MongoMigration {
  /** 1, 2, 3 … Once released, neither number nor meaning ever change. */
  readonly number: number;
  readonly name: string;
  readonly phase: MigrationPhase;
  /**
   * May be interrupted anywhere and run again, and runs while services read and write. Long ones go
   * in batches and look at the signal in between.
   */
  run(database: Db, signal: AbortSignal): Promise<void>;
}

/** All of them, in order. */
export const mongoMigrations: readonly MongoMigration[] = [
  {
    number: 1,
    name: 'the indexes that this version relies on',
    phase: 'expand',
    run: (database) => createIndexes(database),
  },
];

/** What is recorded in the collection `migrations`. */
interface MigrationRecord {
  _id: number;
  name: string;
  phase: MigrationPhase;
  by: string;
  startedAt: Date;
  finishedAt: Date;
}

interface MigrationLock {
  _id: 'lock';
  by: string;
  until: Date;
}

/** Another process migrates; or this one was so slow that another may have begun. */
export class MigrationLockError extends Error {
  override readonly name = 'MigrationLockError';
}

const LEASE = 60_000;
const DUPLICATE_KEY = 11000;

function records(database: Db): Collection<MigrationRecord> {
  return database.collection('migrations');
}

/** One document beside the records. */
function locks(database: Db): Collection<MigrationLock> {
  return database.collection('migrations');
}

async function recorded(database: Db): Promise<Map<number, MigrationRecord>> {
  // Only numbers are greater than a number: not the lock.
  const found = await records(database)
    .find({ _id: { $gt: 0 } })
    .toArray();
  return new Map(found.map((record) => [record._id, record]));
}

/** Those that are not recorded as done yet. */
export async function pendingMigrations(
  database: Db,
  migrations: readonly MongoMigration[] = mongoMigrations,
): Promise<MongoMigration[]> {
  const done = await recorded(database);
  return migrations.filter(({ number }) => !done.has(number));
}

/**
 * Runs what is pending, in order, and records each once it is done. One process at a time: the lock
 * is a lease that is prolonged while it works, so that a process that died is waited for no longer
 * than a minute. Where a run was interrupted, the next begins with the same migration again.
 *
 * @throws MigrationLockError when another process is at it, or the lease was lost.
 */
export async function migrateMongo(
  database: Db,
  options: {
    migrations?: readonly MongoMigration[];
    onStep?: (migration: MongoMigration) => void;
    lease?: number;
  } = {},
): Promise<MongoMigration[]> {
  const { migrations = mongoMigrations, onStep = () => {}, lease = LEASE } = options;
  const by = `${hostname()}-${process.pid}-${randomUUID()}`;
  await takeLock(database, by, lease);
  const lost = new AbortController();
  const renewal = setInterval(() => {
    prolong(database, by, lease).then(
      (held) => held || lost.abort(new MigrationLockError('the lock of migrations was lost')),
      () => {}, // The server is away: the next one tells.
    );
  }, lease / 4);
  try {
    const pending = await pendingMigrations(database, migrations);
    for (const migration of pending) {
      onStep(migration);
      const startedAt = new Date();
      await migration.run(database, lost.signal);
      // Whoever lost the lock must not say that it is done.
      if (lost.signal.aborted || !(await prolong(database, by, lease))) {
        throw new MigrationLockError('the lock of migrations was lost');
      }
      const { number: _id, name, phase } = migration;
      await records(database).replaceOne(
        { _id },
        { name, phase, by, startedAt, finishedAt: new Date() },
        { upsert: true },
      );
    }
    return pending;
  } finally {
    clearInterval(renewal);
    await locks(database).deleteOne({ _id: 'lock', by });
  }
}

async function takeLock(database: Db, by: string, lease: number): Promise<void> {
  const now = Date.now();
  try {
    await locks(database).updateOne(
      { _id: 'lock', until: { $lt: new Date(now) } },
      { $set: { by, until: new Date(now + lease) } },
      { upsert: true },
    );
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) {
      throw error;
    }
    const held = await locks(database).findOne({ _id: 'lock' });
    throw new MigrationLockError(
      `another process migrates: ${held?.by}, at the latest until ${held?.until.toISOString()}`,
      { cause: error },
    );
  }
}

async function prolong(database: Db, by: string, lease: number): Promise<boolean> {
  const { matchedCount } = await locks(database).updateOne(
    { _id: 'lock', by },
    { $set: { until: new Date(Date.now() + lease) } },
  );
  return matchedCount === 1;
}

/**
 * For the start of a service: newer programs have taken away what this one needs.
 * @throws Error that says what to do.
 */
export async function assertNotContracted(
  database: Db,
  migrations: readonly MongoMigration[] = mongoMigrations,
): Promise<void> {
  const known = new Set(migrations.map(({ number }) => number));
  for (const { _id, name, phase } of (await recorded(database)).values()) {
    if (phase === 'contract' && !known.has(_id)) {
      throw new Error(
        `the database was migrated by a newer version of BamboChat, past what this one can use (migration ${_id}: ${name}). Run the newer version, or restore a backup`,
      );
    }
  }
}

/**
 * For `migrate` phases: updates all documents that match, some at a time, with a pause in which
 * others get their turn. `update` must make a document match no more, so that a repetition goes on
 * where it was interrupted. Resolves to how many were updated.
 */
export async function updateInBatches<Schema extends Document>(
  collection: Collection<Schema>,
  filter: Filter<Schema>,
  update: UpdateFilter<Schema>,
  options: { signal: AbortSignal; batch?: number },
): Promise<number> {
  const { signal, batch = 500 } = options;
  let updated = 0;
  while (true) {
    signal.throwIfAborted();
    const found = await collection
      .find(filter, { projection: { _id: 1 } })
      .limit(batch)
      .toArray();
    if (found.length === 0) {
      return updated;
    }
    const ids = found.map(({ _id }) => _id);
    // The filter again: somebody else may have done it in between.
    const which = { $and: [{ _id: { $in: ids } }, filter] } as Filter<Schema>;
    updated += (await collection.updateMany(which, update)).modifiedCount;
  }
}
