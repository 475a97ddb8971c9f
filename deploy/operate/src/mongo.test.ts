import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConversationId, Message, UserId } from '@bambochat/protocol';
import { openMongoStores } from '@bambochat/stores/mongo';
import { startBackends } from '@bambochat/testing';
import { MongoClient } from 'mongodb';
import { uuidv7 } from 'uuidv7';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mongodb } from './mongo-command.ts';

let backends: Awaited<ReturnType<typeof startBackends<'mongodb'>>>;
let client: MongoClient;
let folder: string;
let names: string[];

beforeAll(async () => {
  backends = await startBackends({ names: ['mongodb'] });
  client = await MongoClient.connect(backends.mongodb.url);
});
afterAll(async () => {
  await client?.close();
  await backends?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bambochat-operate-'));
  names = [`operate-${uuidv7()}`, `operate-${uuidv7()}`];
});
afterEach(async () => {
  for (const name of names) await client.db(name).dropDatabase();
  rmSync(folder, { recursive: true, force: true });
});

function urlOf(name: string | undefined): string {
  const url = new URL(backends.mongodb.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function operate(database: string | undefined, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const env = { MONGODB_URL: urlOf(database) };
  await mongodb.run(args, { env, print: (line) => lines.push(line) });
  return lines;
}

const conversationId = uuidv7() as ConversationId;

function message(seq: number): Message {
  return {
    _id: uuidv7(),
    conversationId,
    seq,
    senderId: 'alice',
    content: `message ${seq} ☃`,
    clientMessageId: uuidv7(),
    reactions: [],
    createdAt: new Date().toISOString(),
  } as unknown as Message;
}

async function fill(name: string | undefined, count: number): Promise<void> {
  const stores = await openMongoStores({ url: urlOf(name) });
  const now = new Date().toISOString();
  const joinedAt = now;
  await stores.directoryStore.createGroup(
    { _id: conversationId, type: 'group', name: 'all', createdAt: now, updatedAt: now },
    [{ conversationId, userId: 'alice' as UserId, role: 'admin', joinedAt, readSeq: 0 }],
  );
  await stores.messageStore.insert(Array.from({ length: count }, (_, i) => message(i + 1)));
  await stores.close();
}

const everything = async (name: string | undefined) => {
  const database = client.db(name);
  const found = await database.listCollections({}, { nameOnly: true }).toArray();
  const documents = found.map(async (collection) => [
    collection.name,
    await database.collection(collection.name).find().sort({ _id: 1 }).toArray(),
  ]);
  return Object.fromEntries(
    (await Promise.all(documents)).filter(([, all]) => (all as unknown[]).length > 0),
  );
};

describe('a copy of the database', () => {
  test('comes back document for document, with its indexes, and goes on', async () => {
    await fill(names[0], 1200);
    const copy = join(folder, 'copy');
    const told = await operate(names[0], 'export', '--to', copy, '--fuzzy');
    expect(told).toContain('messages: 1200');
    await operate(names[1], 'import', '--from', copy);
    expect(await everything(names[1])).toEqual(await everything(names[0]));

    const stores = await openMongoStores({ url: urlOf(names[1]) });
    const last = await stores.messageStore.lastOf([conversationId]);
    expect(last.get(conversationId)?.seq).toBe(1200);
    await stores.messageStore.insert([message(1201)]);
    await stores.close();
    const indexes = await client.db(names[1]).collection('messages').indexes();
    expect(indexes.map(({ name }) => name)).toContain('conversation_seq');
  });

  test('never goes over data, but by force', async () => {
    await fill(names[0], 3);
    const copy = join(folder, 'copy');
    await operate(names[0], 'export', '--to', copy, '--fuzzy');
    await client.db(names[0]).collection('messages').deleteMany({ seq: 2 });
    await expect(operate(names[0], 'import', '--from', copy)).rejects.toThrow(/holds data/);
    expect(await client.db(names[0]).collection('messages').countDocuments()).toBe(2);
    await operate(names[0], 'import', '--from', copy, '--force');
    expect(await client.db(names[0]).collection('messages').countDocuments()).toBe(3);
  });

  test('is as of one moment, or refused where a server cannot do that', async () => {
    await fill(names[0], 3);
    const copy = join(folder, 'copy');
    const outcome = await operate(names[0], 'export', '--to', copy).catch((error) => error);
    if (Array.isArray(outcome)) {
      expect(outcome).toContain('as of one moment');
    } else {
      expect(outcome.message).toMatch(/cannot show all collections as of one moment/);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test('that is none, or is cut short, is told', async () => {
    await expect(operate(names[1], 'import', '--from', folder)).rejects.toThrow(/no backup/);
    await fill(names[0], 3);
    const copy = join(folder, 'copy');
    await operate(names[0], 'export', '--to', copy, '--fuzzy');
    const { gzipSync } = await import('node:zlib');
    writeFileSync(join(copy, 'messages.ndjson.gz'), gzipSync(''));
    await expect(operate(names[1], 'import', '--from', copy)).rejects.toThrow(
      /messages: 0 documents instead of 3/,
    );
  });
});
