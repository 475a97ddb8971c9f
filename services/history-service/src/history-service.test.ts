import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenIssuer, createTokenVerifier } from '@bambochat/auth';
import type {
  ClientMessageId,
  ConversationId,
  Message,
  MessageId,
  MessagesPage,
  RestError,
  UserId,
} from '@bambochat/protocol';
import { createRestApp } from '@bambochat/rest';
import { createHealth, createLogger, createMetrics } from '@bambochat/runtime';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { createHistoryService } from './index.ts';

const authSettings = {
  JWT_ALGORITHM: 'HS256' as const,
  JWT_SECRET: 'a secret of the history tests, 32 bytes and more',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
};

/** The service on real SQLite, with a conversation of alice's that holds `count` messages. */
async function startHistory(count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-history-'));
  const stores = openSqliteStores({ path: join(folder, 'chat.sqlite') });
  const app = await createRestApp({
    title: 'History',
    description: 'Test',
    logger: createLogger({ name: 'test', level: 'silent' }),
    health: createHealth(),
    metrics: createMetrics({ processMetrics: false }),
    verifier: createTokenVerifier(authSettings),
  });
  await createHistoryService({ app, ...stores }).start();
  const issuer = createTokenIssuer({
    ...authSettings,
    ACCESS_TOKEN_TTL: 60_000,
    REFRESH_TOKEN_TTL: 60_000,
  });

  async function conversation(member: string, messages: number): Promise<ConversationId> {
    const conversationId = uuidv7() as ConversationId;
    const now = new Date().toISOString();
    await stores.directoryStore.createGroup(
      { _id: conversationId, type: 'group', name: null, createdAt: now, updatedAt: now },
      [{ conversationId, userId: member as UserId, role: 'admin', joinedAt: now, readSeq: 0 }],
    );
    await stores.messageStore.insert(
      Array.from({ length: messages }, (_, index) => ({
        _id: uuidv7() as MessageId,
        conversationId,
        seq: index + 1,
        senderId: member as UserId,
        content: `message ${index + 1}`,
        clientMessageId: uuidv7() as ClientMessageId,
        reactions: [],
        createdAt: now,
      })),
    );
    return conversationId;
  }

  const conversationId = await conversation('alice', count);

  async function get<Body>(url: string, userId = 'alice') {
    const { token } = issuer.issueAccess({ userId: userId as UserId, sessionId: uuidv7() });
    const answer = await app.inject({ url, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: answer.json() as Body };
  }

  return {
    app,
    conversationId,
    conversation,
    get,
    page: (query: string, userId?: string) =>
      get<MessagesPage>(`/messages?conversationId=${conversationId}${query}`, userId),
    async [Symbol.asyncDispose]() {
      await app.close();
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('without a cursor gives the newest page, rising', async () => {
  await using history = await startHistory(120);
  const { status, body } = await history.page('');
  expect(status).toBe(200);
  expect(seqs(body.messages)).toEqual(range(71, 120));
  expect(body).toMatchObject({ hasMore: true, lastSeq: 120 });
});

test('pages forward and backward by seq and by message id, without a gap', async () => {
  await using history = await startHistory(25);
  const first = await history.page('&after=0&limit=10');
  expect(seqs(first.body.messages)).toEqual(range(1, 10));
  expect(first.body).toMatchObject({ hasMore: true, lastSeq: 25 });
  const second = await history.page(`&after=${first.body.messages.at(-1)?._id}&limit=15`);
  expect(seqs(second.body.messages)).toEqual(range(11, 25));
  expect(second.body).toMatchObject({ hasMore: false, lastSeq: 25 });
  const back = await history.page(`&before=${second.body.messages[0]?._id}&limit=10`);
  expect(back.body).toEqual({ messages: first.body.messages, hasMore: false, lastSeq: 25 });
  expect((await history.page('&before=6&limit=4')).body).toMatchObject({ hasMore: true });
});

test('the end, an empty conversation and a cursor beyond the end are empty pages', async () => {
  await using history = await startHistory(3);
  const empty = { messages: [], hasMore: false };
  expect((await history.page('&after=3')).body).toEqual({ ...empty, lastSeq: 3 });
  expect((await history.page('&after=99')).body).toEqual({ ...empty, lastSeq: 3 });
  expect((await history.page('&before=1')).body).toEqual({ ...empty, lastSeq: 3 });
  const silent = await history.conversation('alice', 0);
  expect((await history.get(`/messages?conversationId=${silent}`)).body).toEqual({
    ...empty,
    lastSeq: 0,
  });
});

test('a plain array, newest first, older than the cursor', async () => {
  await using history = await startHistory(30);
  const path = `/api/conversations/${history.conversationId}/messages`;
  const newest = (await history.get<Message[]>(path)).body;
  expect(seqs(newest)).toEqual(range(11, 30).toReversed());
  const older = await history.get<Message[]>(`${path}?cursor=${newest.at(-1)?._id}&limit=7`);
  expect(seqs(older.body)).toEqual(range(4, 10).toReversed());
});

test('absent and forbidden conversations are the same, in both interfaces', async () => {
  await using history = await startHistory(3);
  const absent = uuidv7();
  const forbidden = { status: 404, body: expect.objectContaining({ code: 'NOT_FOUND' }) };
  const own = await history.page('', 'mallory');
  expect(own).toEqual(forbidden);
  expect(await history.get(`/messages?conversationId=${absent}`, 'mallory')).toEqual(own);
  expect(
    await history.get(`/api/conversations/${history.conversationId}/messages`, 'mallory'),
  ).toEqual(own);
});

test('wrong queries name the field, and a cursor of another conversation is one', async () => {
  await using history = await startHistory(3);
  const other = await history.conversation('alice', 1);
  const [foreign] = (await history.get<MessagesPage>(`/messages?conversationId=${other}`)).body
    .messages;
  for (const [query, field] of [
    ['&limit=0', 'limit'],
    ['&limit=201', 'limit'],
    ['&after=x', 'after'],
    ['&before=1&after=2', 'after'],
    ['&before[$gt]=1&before=x', 'before'],
    [`&after=${foreign?._id}`, 'after'],
    ['&conversationId=two', 'conversationId'],
  ]) {
    const { status, body } = await history.get<RestError>(
      `/messages?conversationId=${history.conversationId}${query}`,
    );
    expect([query, status, body.code]).toEqual([query, 400, 'VALIDATION']);
    expect(body.message).toContain(field);
  }
});

test('asks for a token, and documents itself', async () => {
  await using history = await startHistory(0);
  const answer = await history.app.inject(`/messages?conversationId=${history.conversationId}`);
  expect([answer.statusCode, answer.json().code]).toEqual([401, 'AUTH_REQUIRED']);
  const document = (await history.app.inject('/openapi.json')).json();
  expect(document.openapi).toMatch(/^3\.1/);
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/messages', '/api/conversations/{id}/messages']),
  );
});
