import { beforeAll, describe, expect, test } from 'vitest';
import { expectDense, expectMessage, expectRestError, type Message } from './contract-shapes.ts';
import { createGroup, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

const COUNT = 25;

export function describeHistory(target: () => Target): void {
  describe('history', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    let sent: Message[];
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'hist', 2)) as [Person, Person];
      conversationId = (await createGroup(ada, [ben]))._id;
      sent = [];
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      for (let index = 0; index < COUNT; index += 1) {
        const connection = index % 2 === 0 ? atAda : atBen;
        sent.push(await connection.say(conversationId, privateText(`number ${index}`)));
      }
    });

    /** Messages by `seq`, both ends included. */
    const range = (first: number, last: number) => sent.slice(first - 1, last);

    const newestFirst = async (query = ''): Promise<Message[]> => {
      const path = `/api/conversations/${conversationId}/messages${query}`;
      const answer = await ada.rest('GET', path);
      expect(answer.status).toBe(200);
      return answer.body as Message[];
    };

    test('holds exactly what was confirmed, in order', async () => {
      expectDense(sent);
      for (const message of await ada.history(conversationId)) {
        expectMessage(message, { conversationId });
      }
      expect(await ada.history(conversationId)).toStrictEqual(sent);
      expect(await ben.history(conversationId)).toStrictEqual(sent);
    });

    test('without a cursor gives the newest page', async () => {
      expect(await ada.page(conversationId)).toStrictEqual({
        messages: sent,
        hasMore: false,
        lastSeq: COUNT,
      });
      expect(await ada.page(conversationId, { limit: 4 })).toStrictEqual({
        messages: range(22, 25),
        hasMore: true,
        lastSeq: COUNT,
      });
    });

    test.for(['seq', '_id'] as const)('pages before and after a %s', async (kind) => {
      const cursor = (seq: number) => (kind === 'seq' ? seq : (sent[seq - 1]?._id ?? ''));
      const read = (query: Record<string, string | number>) => ada.page(conversationId, query);
      expect(await read({ before: cursor(10), limit: 4 })).toStrictEqual({
        messages: range(6, 9),
        hasMore: true,
        lastSeq: COUNT,
      });
      expect(await read({ before: cursor(4), limit: 10 })).toMatchObject({
        messages: range(1, 3),
        hasMore: false,
      });
      expect(await read({ before: cursor(1) })).toMatchObject({ messages: [], hasMore: false });
      expect(await read({ after: cursor(10), limit: 4 })).toStrictEqual({
        messages: range(11, 14),
        hasMore: true,
        lastSeq: COUNT,
      });
      expect(await read({ after: cursor(20), limit: 5 })).toStrictEqual({
        messages: range(21, 25),
        hasMore: false,
        lastSeq: COUNT,
      });
      expect(await read({ after: cursor(COUNT) })).toStrictEqual({
        messages: [],
        hasMore: false,
        lastSeq: COUNT,
      });
    });

    test('can be walked backwards without gap or overlap', async () => {
      const walked: Message[] = [];
      for (let hasMore = true; hasMore; ) {
        const before = walked[0]?._id;
        const page = await ben.page(conversationId, {
          limit: 7,
          ...(before === undefined ? {} : { before }),
        });
        walked.unshift(...page.messages);
        hasMore = page.hasMore;
      }
      expect(walked).toStrictEqual(sent);
    });

    test('of an empty conversation is empty', async () => {
      const { _id } = await createGroup(ada, [ben], 'silence');
      const empty = { messages: [], hasMore: false, lastSeq: 0 };
      expect(await ada.page(_id)).toStrictEqual(empty);
      expect(await ada.page(_id, { after: 0 })).toStrictEqual(empty);
      expect(await ada.page(_id, { before: 1 })).toStrictEqual(empty);
    });

    test('a reader with after misses nothing that is committed while it reads', async () => {
      const { _id } = await createGroup(ada, [ben], 'busy');
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const writing = { done: false };
      const writers = Promise.all(
        [atAda, atBen].map(async (connection) => {
          for (let index = 0; index < 40; index += 1) {
            await connection.say(_id, privateText('busy'));
          }
        }),
      ).finally(() => {
        writing.done = true;
      });
      const read: Message[] = [];
      for (let again = true; again; ) {
        const last = writing.done;
        const page = await ada.page(_id, { after: read.at(-1)?.seq ?? 0, limit: 10 });
        read.push(...page.messages);
        again = !last || page.hasMore;
      }
      await writers;
      expectDense(read);
      expect(read).toHaveLength(80);
    });

    test('limit takes 1 to 200', async () => {
      expect((await ada.page(conversationId, { limit: 1 })).messages).toEqual(range(25, 25));
      expect((await ada.page(conversationId, { limit: 200 })).messages).toEqual(sent);
      for (const limit of [0, -1, 201, 1.5, 'ten', '', '1e9', 'NaN', '10;drop']) {
        const answer = await ada.rest('GET', '/messages', { query: { conversationId, limit } });
        expectRestError(answer, 400, 'VALIDATION', 'limit');
      }
    });

    test('bad queries are refused, and the field is named', async () => {
      const queries: [string, string][] = [
        ['', 'conversationId'],
        ['conversationId=', 'conversationId'],
        ['conversationId=not-a-uuid', 'conversationId'],
        ['conversationId[$gt]=', 'conversationId'],
        [`conversationId=${conversationId}&conversationId=${conversationId}`, 'conversationId'],
        [`conversationId=${conversationId}&before=x`, 'before'],
        [`conversationId=${conversationId}&before=-1`, 'before'],
        [`conversationId=${conversationId}&after=1.5`, 'after'],
        [`conversationId=${conversationId}&after=99999999999999999999999`, 'after'],
        [`conversationId=${conversationId}&after=1&after=2`, 'after'],
        [`conversationId=${conversationId}&before=5&after=1`, 'after'],
      ];
      for (const [query, field] of queries) {
        const answer = await ada.rest('GET', `/messages?${query}`);
        expectRestError(answer, 400, 'VALIDATION', field);
      }
    });

    test('an _id of another conversation is no cursor', async () => {
      const { _id } = await createGroup(ada, [ben], 'elsewhere');
      using atAda = await online(target(), ada);
      await atAda.say(_id, privateText('elsewhere'));
      for (const cursor of ['before', 'after']) {
        const answer = await ada.rest('GET', '/messages', {
          query: { conversationId: _id, [cursor]: sent[9]?._id ?? '' },
        });
        expectRestError(answer, 400, 'VALIDATION', cursor);
      }
    });

    test('the cursor endpoint gives a plain array, newest first', async () => {
      expect(await newestFirst()).toStrictEqual(range(6, 25).toReversed());
      expect(await newestFirst('?limit=3')).toStrictEqual(range(23, 25).toReversed());
      const cursor = sent[9]?._id ?? '';
      expect(await newestFirst(`?cursor=${cursor}&limit=4`)).toStrictEqual(
        range(6, 9).toReversed(),
      );
      expect(await newestFirst(`?cursor=${sent[0]?._id ?? ''}`)).toEqual([]);
    });
  });
}
