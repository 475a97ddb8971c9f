import { waitFor } from '@bambochat/testing';
import type { Db } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openMongoStores } from './mongo.ts';
import { type MongoTestDatabase, mongoTestDatabase } from './mongo-database.fixture.ts';
import {
  type MongoMigration,
  migrateMongo,
  mongoMigrations,
  pendingMigrations,
  updateInBatches,
} from './mongo-migrations.ts';
import { newConversationId, sampleMessage } from './sample-records.fixture.ts';

let server: MongoTestDatabase;
let database: Db;
let count = 0;

beforeAll(async () => {
  server = await mongoTestDatabase();
});
afterAll(() => server?.close());
beforeEach(() => {
  count += 1;
  database = server.client.db(`${server.name}-${count}`);
});
afterEach(() => database.dropDatabase());

const step = (
  number: number,
  run: MongoMigration['run'] = async () => {},
  phase: MongoMigration['phase'] = 'expand',
): MongoMigration => ({ number, name: `step ${number}`, phase, run });

test('the released list is numbered without a gap and never shrinks', () => {
  expect(mongoMigrations.map(({ number }) => number)).toEqual(
    mongoMigrations.map((_, index) => index + 1),
  );
  expect(mongoMigrations[0]).toMatchObject({ number: 1, phase: 'expand' });
});

describe('migrations', () => {
  test('run once each, in order, and are recorded', async () => {
    const ran: number[] = [];
    const steps = [1, 2, 3].map((number) => step(number, async () => void ran.push(number)));
    await migrateMongo(database, { migrations: steps.slice(0, 2) });
    expect((await pendingMigrations(database, steps)).map(({ number }) => number)).toEqual([3]);
    await migrateMongo(database, { migrations: steps });
    await migrateMongo(database, { migrations: steps });
    expect(ran).toEqual([1, 2, 3]);
  });

  test('that fail are not recorded, and are run again from there', async () => {
    let tries = 0;
    const steps = [
      step(1),
      step(2, async () => {
        tries += 1;
        if (tries === 1) throw new Error('the disk is full');
      }),
      step(3),
    ];
    await expect(migrateMongo(database, { migrations: steps })).rejects.toThrow('disk is full');
    expect((await pendingMigrations(database, steps)).map(({ number }) => number)).toEqual([2, 3]);
    const ran = await migrateMongo(database, { migrations: steps });
    expect(ran.map(({ number }) => number)).toEqual([2, 3]);
  });

  test('are run by one process at a time', async () => {
    const inside = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const steps = [
      step(1, () => {
        inside.resolve();
        return mayEnd.promise;
      }),
    ];
    const first = migrateMongo(database, { migrations: steps, lease: 200 });
    await inside.promise;
    // Longer than the lease: it is prolonged for as long as the work takes.
    const from = Date.now();
    await waitFor(() => Date.now() - from > 400);
    await expect(migrateMongo(database, { migrations: steps })).rejects.toThrow(
      /another process migrates/,
    );
    mayEnd.resolve();
    expect(await first).toHaveLength(1);
    expect(await migrateMongo(database, { migrations: steps })).toEqual([]);
  });

  test('of a process that died are taken over when its lease is over', async () => {
    await database
      .collection('migrations')
      .insertOne({ _id: 'lock' as never, by: 'a dead one', until: new Date(Date.now() - 1) });
    expect(await migrateMongo(database, { migrations: [step(1)] })).toHaveLength(1);
  });

  test('are not recorded by who lost the lock', async () => {
    const steps = [
      step(1, async () => {
        const until = new Date(Date.now() + 60_000);
        await database
          .collection('migrations')
          .updateOne({ _id: 'lock' as never }, { $set: { by: 'somebody else', until } });
      }),
    ];
    await expect(migrateMongo(database, { migrations: steps })).rejects.toThrow(/lock .* was lost/);
    expect(await pendingMigrations(database, steps)).toHaveLength(1);
  });

  test('run beside live traffic: nothing is lost, and everything is migrated', async () => {
    const stores = await openMongoStores({ url: server.url, database: database.databaseName });
    const conversationId = newConversationId();
    let seq = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await stores.messageStore.insert([sampleMessage({ conversationId, seq: seq + 1 })]);
        seq += 1;
      }
    })();
    await waitFor(() => seq >= 20);
    const messages = database.collection('messages');
    const steps = [
      step(1, async () => void (await messages.createIndex({ newField: 1 }, { sparse: true }))),
      step(
        2,
        async (_, signal) => {
          const missing = { newField: { $exists: false }, seq: { $lte: 20 } };
          await updateInBatches(messages, missing, { $set: { newField: 1 } }, { signal, batch: 3 });
        },
        'migrate',
      ),
    ];
    await migrateMongo(database, { migrations: steps });
    stop = true;
    await writing;
    expect(await messages.countDocuments({ newField: 1 })).toBe(20);
    const last = await stores.messageStore.lastOf([conversationId]);
    expect(last.get(conversationId)?.seq).toBe(seq);
    expect(await messages.countDocuments({})).toBe(seq);
    await stores.close();
  });
});

describe('a program that is older than the database', () => {
  const open = () => openMongoStores({ url: server.url, database: database.databaseName });

  test('starts as long as newer ones have only added', async () => {
    await migrateMongo(database, {
      migrations: [...mongoMigrations, step(900), step(901, async () => {}, 'migrate')],
    });
    await (await open()).close();
  });

  test('does not start once they have taken something away', async () => {
    await migrateMongo(database, {
      migrations: [...mongoMigrations, step(902, async () => {}, 'contract')],
    });
    await expect(open()).rejects.toThrow(
      /newer version of BamboChat, past what this one can use \(migration 902/,
    );
  });
});
