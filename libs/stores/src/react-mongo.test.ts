import { REACTIONS_PER_MESSAGE_MAX, type UserId } from '@bambochat/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMongoStores } from './mongo.ts';
import { collectionsOf } from './mongo-collections.ts';
import { type MongoTestDatabase, mongoTestDatabase } from './mongo-database.fixture.ts';
import { newUserId, sampleMessage } from './sample-records.fixture.ts';

let database: MongoTestDatabase;
let stores: Awaited<ReturnType<typeof openMongoStores>>;

beforeAll(async () => {
  database = await mongoTestDatabase();
  stores = await openMongoStores({ url: database.url, database: database.name });
});
afterAll(async () => {
  await stores?.close();
  await database?.close();
});

test('a message that has as many reactions as it can is full for others', async () => {
  const message = sampleMessage();
  const { messageStore } = stores;
  await messageStore.insert([message]);
  const reactors = Array.from({ length: REACTIONS_PER_MESSAGE_MAX }, (_, index) => ({
    userId: `user-${index}` as UserId,
    type: 'like' as const,
    requests: ['before'],
  }));
  const { messages } = collectionsOf(database.client.db(database.name));
  await messages.updateOne({ _id: message._id }, { $set: { reactors, reactionRevision: 1 } });
  const react = (userId: UserId) =>
    messageStore.react(message.conversationId, message._id, {
      userId,
      type: 'like',
      requestId: `of ${userId}`,
    });
  const late = newUserId();
  expect(await react(late)).toBe('full');
  const [first] = reactors;
  expect(await react(first?.userId ?? late)).toMatchObject({ seq: 1 });
  const outcome = await react(late);
  expect(outcome).toMatchObject({ seq: 1 });
  const found = await messageStore.reactionsTo(message.conversationId, [message._id]);
  expect(found.get(message._id)).toHaveLength(REACTIONS_PER_MESSAGE_MAX);
  expect(found.get(message._id)?.at(-1)).toEqual({ userId: late, type: 'like' });
});
