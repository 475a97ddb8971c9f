import { Double, Int32, Long } from 'mongodb';
import type { Check } from './check.ts';
import { createMessageIndexes, expect, expectEqual, item } from './check.ts';

/** All stages of a plan, whatever the nesting. */
function stages(plan: unknown): string[] {
  if (typeof plan !== 'object' || plan === null) {
    return [];
  }
  return Object.entries(plan).flatMap(([key, value]) =>
    key === 'stage' && typeof value === 'string' ? [value] : stages(value),
  );
}

export const readChecks: readonly Check[] = [
  {
    name: 'a page: range, sort, limit, projection',
    async run({ collection }) {
      const items = collection('pages');
      await createMessageIndexes(items);
      await items.insertMany(
        ['a', 'b'].flatMap((id) => Array.from({ length: 500 }, (_, n) => item(id, n + 1))),
      );
      const page = await items
        .find(
          { conversationId: { $eq: 'b' }, seq: { $lt: 300 } },
          { projection: { _id: 0, seq: 1, conversationId: 1 } },
        )
        .sort({ seq: -1 })
        .limit(50)
        .toArray();
      expectEqual([page.length, page[0]?.seq, page[49]?.seq], [50, 299, 250], 'page');
      expectEqual(Object.keys(page[0] ?? {}).sort(), ['conversationId', 'seq'], 'fields');
      return true;
    },
  },
  {
    name: 'explain executionStats: IXSCAN, documents examined = returned',
    async run({ collection }) {
      const explained = await collection('pages')
        .find({ conversationId: 'b', seq: { $lt: 300 } })
        .sort({ conversationId: -1, seq: -1 })
        .limit(50)
        .explain('executionStats');
      const found = stages(explained.queryPlanner?.winningPlan);
      const examined = explained.executionStats?.totalDocsExamined;
      expect(found.includes('IXSCAN'), `stages ${found.join(' ← ')}; ${JSON.stringify(explained)}`);
      expect(!found.includes('SORT'), `sorts in memory: ${found.join(' ← ')}`);
      expectEqual(examined, 50, 'totalDocsExamined');
      return found.join(' ← ');
    },
  },
  {
    name: 'explain tells COLLSCAN for a query without an index',
    async run({ collection }) {
      const explained = await collection('pages').find({ content: 'x' }).explain('executionStats');
      expect(stages(explained.queryPlanner).includes('COLLSCAN'), 'no COLLSCAN');
      return true;
    },
  },
  {
    name: 'prefix search on _id by range; $in of 500 ids',
    async run({ collection }) {
      const items = collection('pages');
      const prefix = await items
        .find({ _id: { $gte: 'a-00000001', $lt: 'a-00000001\u{10FFFF}' } })
        .sort({ _id: 1 })
        .limit(20)
        .toArray();
      expectEqual([prefix.length, prefix[0]?.seq], [10, 10], 'prefix');
      const ids = Array.from({ length: 500 }, (_, n) => item('a', n + 1)._id);
      expectEqual((await items.find({ _id: { $in: ids } }).toArray()).length, 500, '$in');
      return true;
    },
  },
  {
    name: 'a cursor of 1,000 documents over several batches; countDocuments; distinct',
    async run({ collection }) {
      const items = collection('pages');
      const all = await items.find().sort({ _id: 1 }).batchSize(100).toArray();
      expectEqual(all.length, 1000, 'documents');
      expectEqual(await items.countDocuments({ conversationId: 'a' }), 500, 'count');
      expectEqual((await items.distinct('conversationId')).sort(), ['a', 'b'], 'distinct');
      return true;
    },
  },
  {
    name: '$or, $and, $ne, $nin, $not, $exists, $elemMatch, null',
    async run({ db }) {
      const docs = db.collection<{ _id: number; a?: number | null; l?: { x: number }[] }>('ops');
      await docs.insertMany([
        { _id: 1, a: 1 },
        { _id: 2, a: null },
        { _id: 3, l: [{ x: 5 }] },
      ]);
      const ids = async (filter: Parameters<typeof docs.find>[0]) =>
        (
          await docs
            .find(filter ?? {})
            .sort({ _id: 1 })
            .toArray()
        ).map((one) => one._id);
      expectEqual(await ids({ $or: [{ a: 1 }, { l: { $elemMatch: { x: 5 } } }] }), [1, 3], '$or');
      expectEqual(await ids({ $and: [{ a: { $exists: true } }, { a: { $ne: 1 } }] }), [2], '$and');
      expectEqual(await ids({ a: null }), [2, 3], 'null matches a missing field');
      expectEqual(await ids({ a: { $not: { $gt: 0 } } }), [2, 3], '$not');
      expectEqual(await ids({ _id: { $nin: [1, 2] } }), [3], '$nin');
      return true;
    },
  },
  {
    name: 'aggregate: $match, $sort, $group with $first, $limit',
    async run({ collection }) {
      const heads = await collection('pages')
        .aggregate([
          { $match: { conversationId: { $in: ['a', 'b'] } } },
          { $sort: { conversationId: 1, seq: -1 } },
          { $group: { _id: '$conversationId', lastSeq: { $first: '$seq' } } },
          { $sort: { _id: 1 } },
        ])
        .toArray();
      expectEqual(
        heads,
        [
          { _id: 'a', lastSeq: 500 },
          { _id: 'b', lastSeq: 500 },
        ],
        'heads',
      );
      return true;
    },
  },
  {
    name: 'aggregate: $lookup',
    async run({ collection }) {
      const found = await collection('pages')
        .aggregate([
          { $match: { _id: 'a-000000001' } },
          { $lookup: { from: 'pages', localField: '_id', foreignField: '_id', as: 'same' } },
        ])
        .toArray();
      expectEqual(found[0]?.same?.length, 1, 'joined');
      return true;
    },
  },
  ...Object.entries({
    'control characters': '\u0001\u0002\u0008\t\r\n\u001b\u007f',
    'a NUL inside': 'a\u0000b',
    'emoji, RTL, combining': '👩‍👩‍👧‍👦 שלום مرحبا e\u0301 \u202e',
    '4,000 characters of 4 bytes': '\u{1F600}'.repeat(2000),
    'a string that looks like JSON or SQL': `{"$gt": ""}'; DROP TABLE x; -- \\u0000 \\`,
  }).map(
    ([what, content]): Check => ({
      name: `text is kept exactly and found by equality: ${what}`,
      async run({ collection }) {
        const items = collection('texts');
        await items.insertOne(item(what, 1, { content }));
        const found = await items.findOne({ conversationId: what });
        expect(found?.content === content, 'changed');
        expectEqual(await items.countDocuments({ content: { $eq: content } }), 1, 'by equality');
        return true;
      },
    }),
  ),
  {
    name: 'an _id with a NUL, a dot and a dollar; sort order by code point',
    async run({ db }) {
      const docs = db.collection<{ _id: string }>('ids');
      const ids = ['$x', 'B', 'Z.z', 'a', 'a\u0000', 'a\u0000b', 'ab', 'é', '\uFFFD', '😀'];
      await docs.insertMany(ids.map((_id) => ({ _id })));
      const found = (await docs.find().sort({ _id: 1 }).toArray()).map((doc) => doc._id);
      expectEqual(found, ids, 'order');
      return true;
    },
  },
  {
    name: 'UUID strings sort like their text, also by an indexed range',
    async run({ db }) {
      const docs = db.collection<{ _id: string }>('uuids');
      const ids = Array.from({ length: 200 }, () => crypto.randomUUID());
      await docs.insertMany(ids.map((_id) => ({ _id })));
      const sorted = ids.toSorted();
      const found = (await docs.find().sort({ _id: 1 }).toArray()).map((doc) => doc._id);
      expectEqual(found, sorted, 'order');
      const above = await docs.countDocuments({ _id: { $gt: sorted[99] ?? '' } });
      expectEqual(above, 100, 'range');
      return true;
    },
  },
  {
    name: 'Date with milliseconds, int32, int64, double, boolean, null, nested, array',
    async run({ db }) {
      const docs = db.collection<{ _id: string; [field: string]: unknown }>('types');
      const at = new Date('2026-01-02T03:04:05.678Z');
      await docs.insertOne({
        _id: 'x',
        at,
        int: new Int32(7),
        long: Long.fromString('9007199254740993'),
        double: new Double(3),
        number: 5_000_000_000,
        flag: true,
        nothing: null,
        nested: { a: [{ b: [] }, {}] },
      });
      const raw = await docs.findOne({ _id: 'x' }, { promoteValues: false, promoteLongs: false });
      expect(raw?.at instanceof Date && raw.at.getTime() === at.getTime(), 'date');
      expect(raw.int instanceof Int32, `int is ${String(raw.int)}`);
      expect(raw.double instanceof Double, 'double became another type');
      expect(String(raw.long) === '9007199254740993', `long is ${String(raw.long)}`);
      expect(Number(raw.number) === 5_000_000_000, `number is ${String(raw.number)}`);
      expectEqual(raw.nested, { a: [{ b: [] }, {}] }, 'nested');
      expect(await docs.findOne({ int: 7, double: 3 }), 'not found by number');
      expectEqual(await docs.countDocuments({ at: { $lte: at, $gte: at } }), 1, 'by date');
      return true;
    },
  },
  {
    name: 'an undefined field is left out (ignoreUndefined) and field order is kept',
    async run({ db }) {
      const docs = db.collection('order', { ignoreUndefined: true });
      await docs.insertOne({ z: 1, a: undefined, m: 2, b: 3 });
      expectEqual(Object.keys((await docs.findOne()) ?? {}), ['_id', 'z', 'm', 'b'], 'keys');
      return true;
    },
  },
  {
    name: 'a document of 15 MB; one of 17 MB is refused',
    async run({ collection }) {
      const items = collection('large');
      await items.insertOne(item('c', 1, { content: 'x'.repeat(15_000_000) }));
      const found = await items.findOne({ conversationId: 'c' });
      expectEqual(found?.content.length, 15_000_000, 'length');
      const refused = await items.insertOne(item('c', 2, { content: 'x'.repeat(17_000_000) })).then(
        () => false,
        () => true,
      );
      expect(refused, '17 MB were accepted');
      return true;
    },
  },
  {
    name: 'maxTimeMS ends a slow query',
    async run({ collection }) {
      await collection('pages').find({}, { maxTimeMS: 5_000 }).toArray();
      return 'accepted';
    },
  },
];
