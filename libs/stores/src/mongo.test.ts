import type { Message } from '@bambochat/protocol';
import type { CommandStartedEvent, Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directKey } from './direct-key.ts';
import type { DirectoryStore } from './directory-store.ts';
import { createMongoDirectoryStore } from './directory-store-mongo.ts';
import type { MessageStore } from './message-store.ts';
import { createMongoMessageStore } from './message-store-mongo.ts';
import { openMongoStores } from './mongo.ts';
import { collectionsOf, indexes } from './mongo-collections.ts';
import { type MongoTestDatabase, mongoTestDatabase } from './mongo-database.fixture.ts';
import {
  newConversationId,
  newUserId,
  sampleConversation,
  sampleMembership,
  sampleMessage,
  sampleRun,
} from './sample-records.fixture.ts';

let database: MongoTestDatabase;

beforeAll(async () => {
  database = await mongoTestDatabase();
});
afterAll(() => database?.close());

test('replicas that start at once on an empty database create every index', async () => {
  const options = { url: database.url, database: database.name };
  const replicas = await Promise.all(Array.from({ length: 6 }, () => openMongoStores(options)));
  await Promise.all(replicas.map((replica) => replica.close()));
  const again = await openMongoStores(options);
  await again.close();
  for (const [name, expected] of Object.entries(indexes)) {
    const found = await database.client.db(database.name).collection(name).indexes();
    for (const index of expected) {
      expect(found).toContainEqual(expect.objectContaining(index));
    }
    expect(found).toHaveLength(expected.length + 1);
  }
});

test('an index that contradicts ours stops the start with its collection named', async () => {
  const name = `${database.name}-conflict`;
  const other = database.client.db(name);
  try {
    await other.collection('users').createIndex({ emailLower: 1 }, { name: 'email' });
    await expect(openMongoStores({ url: database.url, database: name })).rejects.toThrow(
      /cannot be used: .*index/i,
    );
  } finally {
    await other.dropDatabase();
  }
});

describe('what a process that died has left behind', () => {
  let messageStore: MessageStore;
  let directoryStore: DirectoryStore;
  let close: () => Promise<void>;
  const raw = () => collectionsOf(database.client.db(database.name));

  beforeAll(async () => {
    const options = { url: database.url, database: database.name };
    ({ messageStore, directoryStore, close } = await openMongoStores(options));
  });
  afterAll(() => close?.());

  test('messages whose head did not follow are read all the same', async () => {
    const id = newConversationId();
    const run = sampleRun(id, 1, 20);
    await messageStore.insert(run);
    await raw().heads.updateOne({ _id: id }, { $set: { lastSeq: 4 } });
    const newest = async () => {
      const last = await messageStore.lastOf([id]);
      const page = await messageStore.page(id, { limit: 3 });
      return { last: last.get(id)?.seq, page: page.map(({ seq }) => seq) };
    };
    expect(await newest()).toEqual({ last: 20, page: [18, 19, 20] });
    await raw().heads.deleteOne({ _id: id });
    expect(await newest()).toEqual({ last: 20, page: [18, 19, 20] });
    await messageStore.advanceHeads(run);
    expect((await messageStore.heads([id])).get(id)?.lastSeq).toBe(20);
  });

  test('a writer that loses the race to create a head moves it forward all the same', async () => {
    const [older, newer] = sampleRun(newConversationId(), 1, 2) as [Message, Message];
    const { heads, ...others } = raw();
    // Both writers have seen no head; then the one with the older message creates it, and the upsert
    // of the newer message is refused by the index on `_id`, as a server does that does not retry it.
    let isFirst = true;
    const racing: typeof heads = Object.create(heads);
    racing.bulkWrite = async (operations, options) => {
      if (!isFirst) {
        return heads.bulkWrite(operations, options);
      }
      isFirst = false;
      await messageStore.advanceHeads([older]);
      const upsert = {
        filter: { _id: newer.conversationId, lastSeq: { $lt: older.seq } },
        update: { $set: { lastSeq: newer.seq } },
        upsert: true,
      };
      return heads.bulkWrite([{ updateOne: upsert }], options);
    };
    const noPort = { check: async () => {}, close: async () => {} };
    const racer = createMongoMessageStore({ ...others, heads: racing }, noPort);
    await racer.advanceHeads([newer]);
    expect(isFirst).toBe(false);
    const found = await messageStore.heads([newer.conversationId]);
    expect(found.get(newer.conversationId)).toMatchObject({ lastSeq: 2, content: newer.content });
  });

  test('a direct conversation without participants gets them from the next caller', async () => {
    const proposal = sampleConversation({ type: 'direct_message', name: null });
    const participants = [newUserId(), newUserId()].map((userId) =>
      sampleMembership({ conversationId: proposal._id, userId }),
    );
    const [one, two] = participants;
    if (!one || !two) {
      throw new Error('Two participants were made');
    }
    const dead = sampleConversation({ type: 'direct_message', name: null });
    const { createdAt, updatedAt, ...rest } = dead;
    await raw().conversations.insertOne({
      ...rest,
      createdAt: new Date(createdAt),
      updatedAt: new Date(updatedAt),
      directKey: directKey([one, two]),
    });
    expect(await directoryStore.openDirect(proposal, [one, two])).toEqual({
      conversation: dead,
      created: false,
    });
    expect(await directoryStore.participantsOf(dead._id, 10)).toEqual(
      participants.map((member) => ({ ...member, conversationId: dead._id })),
    );
  });

  test('a group whose participants were stored, and no more, is completed by repeating', async () => {
    const group = sampleConversation();
    const members = [1, 2, 3].map(() => sampleMembership({ conversationId: group._id }));
    await directoryStore.addParticipants(members.slice(0, 2));
    expect(await directoryStore.conversations([group._id])).toEqual([]);
    await directoryStore.createGroup(group, members);
    expect(await directoryStore.conversations([group._id])).toEqual([group]);
    expect(await directoryStore.countParticipants(group._id)).toBe(3);
  });
});

describe('query plans', () => {
  /** The finds and counts that the driver sends while `work` runs. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Document[]> {
    const commands: Document[] = [];
    const listen = ({ commandName, command }: CommandStartedEvent) => {
      if (commandName === 'find' || commandName === 'aggregate') {
        const { find, aggregate, filter, sort, limit, projection, pipeline } = command;
        const stated = { find, aggregate, filter, sort, limit, projection, pipeline };
        commands.push(
          Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)),
        );
      }
    };
    database.client.on('commandStarted', listen);
    try {
      await work();
    } finally {
      database.client.off('commandStarted', listen);
    }
    return commands;
  }

  async function stagesOf(command: Document): Promise<string[]> {
    const explained = await database.client.db(database.name).command({
      explain: 'aggregate' in command ? { ...command, cursor: {} } : command,
      verbosity: 'queryPlanner',
    });
    return Array.from(
      JSON.stringify(explained).matchAll(/"stage":"(\w+)"/g),
      ([, stage = '']) => stage,
    );
  }

  const id = newConversationId();
  const user = newUserId();
  const noPort = { check: async () => {}, close: async () => {} };
  let messageStore: MessageStore;
  let directoryStore: DirectoryStore;

  beforeAll(async () => {
    const collections = collectionsOf(database.client.db(database.name));
    messageStore = createMongoMessageStore(collections, noPort);
    directoryStore = createMongoDirectoryStore(collections, noPort);
    await messageStore.insert(sampleRun(id, 1, 100));
    await directoryStore.addParticipants(
      Array.from({ length: 20 }, () => sampleMembership({ userId: user })),
    );
  });

  const queries: [string, () => Promise<unknown>][] = [
    ['page', () => messageStore.page(id, { limit: 10 })],
    ['page before', () => messageStore.page(id, { before: 50, limit: 10 })],
    ['page after', () => messageStore.page(id, { after: 50, limit: 10 })],
    ['lastOf', () => messageStore.lastOf([id, newConversationId()])],
    ['heads', () => messageStore.heads([id])],
    ['findByClientMessageIds', () => messageStore.findByClientMessageIds([sampleMessage()])],
    ['membershipsOf', () => directoryStore.membershipsOf(user, 10)],
    ['participantsOf', () => directoryStore.participantsOf(id, 10)],
    ['countParticipants', () => directoryStore.countParticipants(id)],
    ['areMembers', () => directoryStore.areMembers([sampleMembership()])],
    ['profiles', () => directoryStore.profiles([user])],
    ['conversations', () => directoryStore.conversations([id])],
  ];
  test.each(queries)('%s scans an index', async (_name, query) => {
    const commands = await commandsOf(query);
    expect(commands).not.toEqual([]);
    for (const command of commands) {
      const stages = await stagesOf(command);
      expect(stages.join()).toMatch(/IXSCAN|IDHACK|EXPRESS|COUNT_SCAN/);
      expect(stages).not.toContain('COLLSCAN');
    }
  });

  test('lists come sorted out of their index', async (context) => {
    // MongoDB answers this one from the index on _id. A server that does not, or does not say so,
    // sorts everything, and cannot tell us about our own queries.
    const probe = await stagesOf({
      find: 'users',
      filter: { _id: { $gte: 'a' } },
      sort: { _id: 1 },
    });
    if (probe.includes('SORT') || probe.includes('COLLSCAN')) {
      context.skip('the server at hand never takes an order from an index, as MongoDB does');
    }
    const search: [string, () => Promise<unknown>] = [
      'searchProfiles',
      () => directoryStore.searchProfiles('a', 10),
    ];
    for (const [name, query] of [...queries, search]) {
      for (const command of await commandsOf(query)) {
        const stages = await stagesOf(command);
        expect(stages, name).not.toContain('SORT');
        expect(stages, name).not.toContain('COLLSCAN');
      }
    }
  });
});
