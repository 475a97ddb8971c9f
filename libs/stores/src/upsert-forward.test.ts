import type { AnyBulkWriteOperation, BulkWriteOptions, Collection } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MongoTestDatabase, mongoTestDatabase } from './mongo-database.fixture.ts';
import { upsertForward } from './upsert-forward.ts';

interface Place {
  readonly _id: string;
  readonly at: number;
}

let database: MongoTestDatabase;
let places: Collection<Place>;
beforeAll(async () => {
  database = await mongoTestDatabase();
  places = database.client.db(database.name).collection<Place>('places');
});
afterAll(() => database?.close());

const step = (_id: string, at: number) => ({
  filter: { _id, at: { $lt: at } },
  update: { $set: { at } },
});
async function stored(...ids: string[]): Promise<[string, number][]> {
  const found = await places.find({ _id: { $in: ids } }).toArray();
  return found.map(({ _id, at }): [string, number] => [_id, at]).sort();
}

test('creates, moves forward, and leaves what is not older', async () => {
  await places.insertMany([
    { _id: 'behind', at: 5 },
    { _id: 'same', at: 5 },
    { _id: 'ahead', at: 9 },
  ]);
  await upsertForward(places, []);
  await upsertForward(places, [
    step('new', 1),
    step('ahead', 7),
    step('same', 5),
    step('behind', 7),
  ]);
  expect(await stored('new', 'ahead', 'same', 'behind')).toEqual([
    ['ahead', 9],
    ['behind', 7],
    ['new', 1],
    ['same', 5],
  ]);
});

test('who loses the race to create a document still moves it forward, and never back', async () => {
  let rounds = 0;
  /** Others create the documents between the look of the upserts and their insertion. */
  const raced = {
    async bulkWrite(steps: AnyBulkWriteOperation<Place>[], options: BulkWriteOptions) {
      rounds += 1;
      if (rounds > 1) {
        return places.bulkWrite(steps, options);
      }
      await places.insertMany([
        { _id: 'older', at: 5 },
        { _id: 'newer', at: 9 },
      ]);
      // Their upserts find nothing, as if they had looked before.
      const blind = steps.map((one) =>
        'updateOne' in one
          ? { updateOne: { ...one.updateOne, filter: { ...one.updateOne.filter, at: -1 } } }
          : one,
      );
      return places.bulkWrite(blind, options);
    },
  } as Collection<Place>;
  await upsertForward(raced, [step('older', 7), step('fresh', 1), step('newer', 8)]);
  expect(rounds).toBe(2);
  expect(await stored('older', 'fresh', 'newer')).toEqual([
    ['fresh', 1],
    ['newer', 9],
    ['older', 7],
  ]);
});

test('what else goes wrong is thrown', async () => {
  const failing = {
    bulkWrite: () => Promise.reject(new Error('broken')),
  } as unknown as Collection<Place>;
  await expect(upsertForward(failing, [step('any', 1)])).rejects.toThrow('broken');
});
