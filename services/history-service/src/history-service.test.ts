import type { Message, MessagesPage, RestError } from '@bambochat/protocol';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { startHistory } from './history-fixture.ts';

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
    expect.arrayContaining(['/messages', '/sync', '/api/conversations/{id}/messages']),
  );
});
