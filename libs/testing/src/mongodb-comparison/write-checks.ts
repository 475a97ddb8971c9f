import { MongoBulkWriteError } from 'mongodb';
import type { Check } from './check.ts';
import { createMessageIndexes, expect, expectEqual, item } from './check.ts';

async function bulkError(write: Promise<unknown>): Promise<MongoBulkWriteError> {
  const error = await write.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error instanceof MongoBulkWriteError, `no MongoBulkWriteError but ${String(error)}`);
  return error;
}

export const writeChecks: readonly Check[] = [
  {
    name: 'ordered insertMany stops at a duplicate key; the prefix is stored',
    async run({ collection }) {
      const items = collection('ordered');
      await createMessageIndexes(items);
      await items.insertOne(item('c', 3));
      const batch = [1, 2, 3, 4, 5].map((seq) => item('c', seq, { _id: `new-${seq}` }));
      batch.forEach((one) => {
        one.clientMessageId += '-new';
      });
      const error = await bulkError(items.insertMany(batch, { ordered: true }));
      expectEqual(error.code, 11000, 'code');
      expectEqual(error.insertedCount, 2, 'insertedCount');
      const failures = [error.writeErrors].flat();
      expectEqual(
        failures.map((failure) => failure.index),
        [2],
        'index of the failing write',
      );
      const stored = await items.find().sort({ seq: 1 }).toArray();
      expectEqual(
        stored.map((one) => one._id),
        ['new-1', 'new-2', 'c-000000003'],
        'stored',
      );
      return `insertedIds ${JSON.stringify(error.insertedIds)}`;
    },
  },
  {
    name: 'a duplicate of the client key inside the same batch stops there too',
    async run({ collection }) {
      const items = collection('same_batch');
      await createMessageIndexes(items);
      const batch = [1, 2, 3].map((seq) => item('c', seq, { senderId: 'u', clientMessageId: 'x' }));
      const error = await bulkError(items.insertMany(batch, { ordered: true }));
      expectEqual([error.insertedCount, [error.writeErrors].flat()[0]?.index], [1, 1], 'counts');
      expectEqual(await items.countDocuments(), 1, 'documents');
      return true;
    },
  },
  {
    name: 'the duplicate key error carries keyPattern and keyValue',
    async run({ db }) {
      // The raw answer: the driver's WriteError keeps neither field.
      const answer = await db.command({
        insert: 'ordered',
        documents: [item('c', 3, { _id: 'other', clientMessageId: 'other' })],
      });
      const raw = answer.writeErrors[0];
      expectEqual(raw.keyPattern, { conversationId: 1, seq: 1 }, 'keyPattern');
      expectEqual(raw.keyValue, { conversationId: 'c', seq: 3 }, 'keyValue');
      return true;
    },
  },
  {
    name: 'the duplicate key message names the index',
    async run({ collection }) {
      const items = collection('ordered');
      const bySeq = await bulkError(
        items.insertMany([item('c', 3, { _id: 'other', clientMessageId: 'other' })]),
      );
      expect(bySeq.message.includes('conversation_seq'), bySeq.message);
      const byClient = await bulkError(
        items.insertMany([item('c', 30, { senderId: 'user-3', clientMessageId: 'client-3' })]),
      );
      expect(byClient.message.includes('client_message'), byClient.message);
      const byId = await bulkError(items.insertMany([item('d', 3, { _id: 'c-000000003' })]));
      expect(byId.message.includes('_id_'), byId.message);
      return bySeq.message;
    },
  },
  {
    name: 'insertOne: code 11000 with keyPattern',
    async run({ collection }) {
      const error = await collection('ordered')
        .insertOne(item('c', 3, { _id: 'one', clientMessageId: 'one' }))
        .catch((reason) => reason);
      expectEqual(error.code, 11000, 'code');
      expectEqual(error.keyPattern, { conversationId: 1, seq: 1 }, 'keyPattern');
      return true;
    },
  },
  {
    name: 'unordered insertMany stores all but the duplicates',
    async run({ collection }) {
      const items = collection('unordered');
      await createMessageIndexes(items);
      await items.insertMany([item('c', 2), item('c', 4)]);
      const batch = [1, 2, 3, 4, 5].map((seq) => item('c', seq));
      const error = await bulkError(items.insertMany(batch, { ordered: false }));
      expectEqual(error.insertedCount, 3, 'insertedCount');
      expectEqual(
        [error.writeErrors].flat().map((failure) => failure.index),
        [1, 3],
        'failing indexes',
      );
      expectEqual(await items.countDocuments(), 5, 'documents');
      return true;
    },
  },
  {
    name: 'one of two concurrent writers wins each seq (500 rounds)',
    async run({ collection }) {
      const items = collection('race');
      await createMessageIndexes(items);
      for (let seq = 1; seq <= 500; seq += 1) {
        const outcomes = await Promise.allSettled(
          ['left', 'right'].map((side) =>
            items.insertMany([
              item('c', seq, { _id: `${side}-${seq}`, clientMessageId: side + seq }),
            ]),
          ),
        );
        const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(lost.length === 1, `round ${seq}: ${lost.length} of 2 were refused`);
        expect(lost[0]?.reason.code === 11000, `round ${seq}: ${String(lost[0]?.reason)}`);
      }
      expectEqual(await items.countDocuments(), 500, 'documents');
      return true;
    },
  },
  {
    name: 'write concern {w: majority, j: true} and read concern majority',
    async run({ collection }) {
      const items = collection('concerns');
      const result = await items.insertMany([item('c', 1)], {
        writeConcern: { w: 'majority', journal: true },
      });
      expectEqual(result.insertedCount, 1, 'insertedCount');
      const found = await items.find({}, { readConcern: { level: 'majority' } }).toArray();
      expectEqual(found.length, 1, 'found');
      return true;
    },
  },
  {
    name: 'updateOne upsert with $setOnInsert, $set, $max, $inc',
    async run({ db }) {
      const heads = db.collection<{ _id: string; lastSeq: number; n: number; by: string }>('heads');
      const bump = (lastSeq: number) =>
        heads.updateOne(
          { _id: 'c' },
          { $setOnInsert: { by: 'first' }, $max: { lastSeq }, $inc: { n: 1 } },
          { upsert: true },
        );
      const first = await bump(5);
      expectEqual([first.upsertedCount, first.upsertedId], [1, 'c'], 'upserted');
      await bump(3);
      await bump(9);
      expectEqual(
        await heads.findOne({ _id: 'c' }),
        { _id: 'c', by: 'first', lastSeq: 9, n: 3 },
        '',
      );
      return true;
    },
  },
  {
    name: 'conditional update {_id, lastSeq: {$lt: n}}: upsert of a stale one gives 11000',
    async run({ db }) {
      const heads = db.collection<{ _id: string; lastSeq: number }>('conditional');
      const set = (lastSeq: number) =>
        heads.updateOne(
          { _id: 'c', lastSeq: { $lt: lastSeq } },
          { $set: { lastSeq } },
          { upsert: true },
        );
      await set(5);
      const stale = await set(4).catch((error) => error);
      expectEqual(stale.code, 11000, 'code');
      await set(6);
      expectEqual((await heads.findOne({ _id: 'c' }))?.lastSeq, 6, 'lastSeq');
      return true;
    },
  },
  {
    name: 'concurrent upserts of one _id make one document (100 rounds of 4)',
    async run({ db }) {
      const heads = db.collection<{ _id: string; n: number; lastSeq: number }>('upserts');
      let refused = 0;
      for (let round = 0; round < 100; round += 1) {
        const outcomes = await Promise.allSettled(
          [1, 2, 3, 4].map((lastSeq) =>
            heads.updateOne(
              { _id: `c${round}` },
              { $max: { lastSeq }, $inc: { n: 1 } },
              { upsert: true },
            ),
          ),
        );
        const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
        refused += failures.length;
        for (const failure of failures) {
          expect(failure.reason.code === 11000, String(failure.reason));
        }
        const after = await heads.findOne({ _id: `c${round}` });
        expectEqual(after?.n, 4 - failures.length, `increments kept in round ${round}`);
      }
      return `${refused} of 400 were refused with 11000 (MongoDB 8 retries by itself: 0)`;
    },
  },
  {
    name: 'concurrent $inc on one document loses nothing (400)',
    async run({ db }) {
      const counters = db.collection<{ _id: string; n: number }>('counters');
      await counters.insertOne({ _id: 'c', n: 0 });
      await Promise.all(
        Array.from({ length: 400 }, () => counters.updateOne({ _id: 'c' }, { $inc: { n: 1 } })),
      );
      expectEqual((await counters.findOne({ _id: 'c' }))?.n, 400, 'n');
      return true;
    },
  },
  {
    name: 'findOneAndUpdate compare-and-swap: one winner of 8 (50 rounds)',
    async run({ db }) {
      const locks = db.collection<{ _id: string; version: number; owner?: number }>('swap');
      await locks.insertOne({ _id: 'c', version: 0 });
      for (let version = 0; version < 50; version += 1) {
        const swaps = await Promise.all(
          Array.from({ length: 8 }, (_, owner) =>
            locks.findOneAndUpdate(
              { _id: 'c', version },
              { $set: { version: version + 1, owner } },
              { returnDocument: 'after' },
            ),
          ),
        );
        const winners = swaps.filter((swap) => swap !== null);
        expect(winners.length === 1, `version ${version}: ${winners.length} winners`);
        expectEqual(winners[0]?.version, version + 1, 'returned version');
      }
      return true;
    },
  },
  {
    name: 'bulkWrite ordered:false, mixed; deleteOne and deleteMany counts',
    async run({ collection }) {
      const items = collection('bulk');
      const result = await items.bulkWrite(
        [
          { insertOne: { document: item('c', 1) } },
          { insertOne: { document: item('c', 2) } },
          { updateOne: { filter: { seq: 9 }, update: { $set: { content: 'x' } }, upsert: true } },
          { deleteOne: { filter: { seq: 1 } } },
        ],
        { ordered: false },
      );
      expectEqual(
        [result.insertedCount, result.upsertedCount, result.deletedCount],
        [2, 1, 1],
        'bulk counts',
      );
      await items.insertMany([3, 4, 5].map((seq) => item('d', seq)));
      expectEqual((await items.deleteOne({ conversationId: 'd' })).deletedCount, 1, 'deleteOne');
      expectEqual((await items.deleteMany({ conversationId: 'd' })).deletedCount, 2, 'deleteMany');
      return true;
    },
  },
  {
    name: 'array updates: $addToSet, $pull, $push by filter on an element',
    async run({ db }) {
      const docs = db.collection<{ _id: string; list: { id: string; role?: string }[] }>('arrays');
      await docs.insertOne({ _id: 'c', list: [{ id: 'a' }] });
      await docs.updateOne({ _id: 'c' }, { $addToSet: { list: { id: 'a' } } });
      await docs.updateOne({ _id: 'c', 'list.id': { $ne: 'b' } }, { $push: { list: { id: 'b' } } });
      await docs.updateOne({ _id: 'c', 'list.id': { $ne: 'b' } }, { $push: { list: { id: 'b' } } });
      await docs.updateOne({ _id: 'c', 'list.id': 'b' }, { $set: { 'list.$.role': 'admin' } });
      await docs.updateOne({ _id: 'c' }, { $pull: { list: { id: 'a' } } });
      expectEqual((await docs.findOne({ _id: 'c' }))?.list, [{ id: 'b', role: 'admin' }], 'list');
      return true;
    },
  },
  {
    name: 'update with an aggregation pipeline',
    async run({ db }) {
      const docs = db.collection<{ _id: string; a: number; b?: number }>('pipeline');
      await docs.insertOne({ _id: 'c', a: 1 });
      await docs.updateOne({ _id: 'c' }, [{ $set: { b: { $add: ['$a', 1] } } }]);
      expectEqual((await docs.findOne({ _id: 'c' }))?.b, 2, 'b');
      return true;
    },
  },
  {
    name: 'transactions: withTransaction commits, and rolls back on a throw',
    async run({ client, collection }) {
      const items = collection('transaction');
      await items.insertOne(item('c', 0));
      await client.withSession(async (session) => {
        await session.withTransaction(async () => {
          await items.insertOne(item('c', 1), { session });
          await items.insertOne(item('c', 2), { session });
        });
        const outcome = await session
          .withTransaction(async () => {
            await items.insertOne(item('c', 3), { session });
            throw new Error('roll back');
          })
          .catch((error: Error) => error.message);
        expectEqual(outcome, 'roll back', 'outcome');
      });
      expectEqual(await items.countDocuments(), 3, 'documents');
      return true;
    },
  },
  {
    name: 'change streams',
    async run({ collection }) {
      const items = collection('stream');
      await items.insertOne(item('c', 0));
      await using stream = items.watch([], { maxAwaitTimeMS: 500 });
      const [change] = await Promise.all([stream.next(), items.insertOne(item('c', 1))]);
      expectEqual(change.operationType, 'insert', 'operationType');
      return true;
    },
  },
];
