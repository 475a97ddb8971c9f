import type { Check } from './check.ts';
import { createMessageIndexes, expect, expectEqual } from './check.ts';

export const indexChecks: readonly Check[] = [
  {
    name: 'compound unique indexes are created and listed',
    async run({ collection }) {
      const items = collection('indexes');
      expectEqual(
        await createMessageIndexes(items),
        ['conversation_seq', 'client_message'],
        'names',
      );
      // Creating them again at the next start must be harmless.
      await createMessageIndexes(items);
      const listed = await items.listIndexes().toArray();
      const unique = listed.filter((index) => index.unique).map((index) => index.name);
      expectEqual(unique.sort(), ['client_message', 'conversation_seq'], 'unique indexes');
      return true;
    },
  },
  {
    name: 'partial unique index: partialFilterExpression $exists',
    async run({ db }) {
      const conversations = db.collection('partial');
      await conversations.createIndex(
        { directKey: 1 },
        { unique: true, partialFilterExpression: { directKey: { $exists: true } } },
      );
      await conversations.insertMany([{ type: 'group' }, { type: 'group' }, { directKey: 'a:b' }]);
      const again = await conversations.insertOne({ directKey: 'a:b' }).catch((error) => error);
      expectEqual(again.code, 11000, 'code of the second direct conversation');
      const [listed] = (await conversations.listIndexes().toArray()).slice(1);
      expect(listed?.partialFilterExpression, 'the filter is not listed back');
      return true;
    },
  },
  {
    name: 'sparse unique index',
    async run({ db }) {
      const conversations = db.collection('sparse');
      await conversations.createIndex({ directKey: 1 }, { unique: true, sparse: true });
      await conversations.insertMany([{ type: 'group' }, { type: 'group' }, { directKey: 'a:b' }]);
      const again = await conversations.insertOne({ directKey: 'a:b' }).catch((error) => error);
      expectEqual(again.code, 11000, 'code of the second direct conversation');
      return true;
    },
  },
  {
    name: 'unique index over a field that several documents lack refuses the second',
    async run({ db }) {
      const conversations = db.collection('missing');
      await conversations.createIndex({ directKey: 1 }, { unique: true });
      await conversations.insertOne({ type: 'group' });
      const again = await conversations.insertOne({ type: 'group' }).catch((error) => error);
      expectEqual(again.code, 11000, 'code of the second without the field');
      return true;
    },
  },
  {
    name: 'compound unique index {userId, conversationId}',
    async run({ db }) {
      const memberships = db.collection('memberships');
      await memberships.createIndex({ userId: 1, conversationId: 1 }, { unique: true });
      await memberships.insertMany([
        { userId: 'a', conversationId: '1' },
        { userId: 'a', conversationId: '2' },
        { userId: 'b', conversationId: '1' },
      ]);
      const again = await memberships
        .insertOne({ userId: 'a', conversationId: '2' })
        .catch((error) => error);
      expectEqual(again.code, 11000, 'code');
      return true;
    },
  },
  {
    name: 'TTL index is accepted and listed',
    async run({ db }) {
      const sessions = db.collection('sessions');
      await sessions.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
      const [listed] = (await sessions.listIndexes().toArray()).slice(1);
      expectEqual(listed?.expireAfterSeconds, 0, 'expireAfterSeconds');
      return true;
    },
  },
  {
    name: 'TTL index deletes expired documents within 90 s',
    async run({ db }) {
      const sessions = db.collection('sessions');
      await sessions.insertMany([
        { expiresAt: new Date(Date.now() - 60_000) },
        { expiresAt: new Date(Date.now() + 600_000) },
      ]);
      const began = Date.now();
      while (Date.now() - began < 90_000) {
        if ((await sessions.countDocuments()) === 1) {
          return `after ${Math.round((Date.now() - began) / 1000)} s`;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      throw new Error('still there after 90 s');
    },
  },
];
