import { describe, expect, test } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import {
  expectRestError,
  expectSyncAnswer,
  type Message,
  type Reaction,
  type SyncAnswer,
} from './contract-shapes.ts';
import { createGroup, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

type Trio = [Person, Person, Person];

/** One answer. */
async function sync(person: Person, since?: string, limit?: number): Promise<SyncAnswer> {
  const { status, body } = await person.rest('GET', '/sync', {
    query: {
      ...(since === undefined ? {} : { since }),
      ...(limit === undefined ? {} : { limit }),
    },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return expectSyncAnswer(body);
}

/** What a client makes of answers. */
class Picture {
  readonly messages = new Map<string, Message[]>();
  readonly reactions = new Map<string, readonly Reaction[]>();
  readonly marks = new Map<string, number>();
  readonly members = new Map<string, boolean>();
  readonly unread = new Map<string, number>();
  token: string | undefined;

  /** @returns whether there is more */
  async next(person: Person, limit: number): Promise<boolean> {
    const answer = await sync(person, this.token, limit);
    const count = answer.conversations.flatMap(({ messages }) => messages).length;
    expect(count).toBeLessThanOrEqual(limit);
    for (const news of answer.conversations) {
      const { conversationId } = news;
      const list = this.messages.get(conversationId) ?? [];
      this.messages.set(conversationId, list);
      list.push(...news.messages);
      for (const { _id, reactions } of news.messages) {
        this.reactions.set(_id, reactions);
      }
      for (const { messageId, reactions } of news.reactions) {
        this.reactions.set(messageId, reactions);
      }
      for (const { userId, seq } of news.readMarks) {
        this.marks.set(`${conversationId} ${userId}`, seq);
      }
      for (const { userId, member } of news.members) {
        this.members.set(`${conversationId} ${userId}`, member);
      }
      this.unread.set(conversationId, news.unread);
    }
    this.token = answer.token;
    return answer.hasMore;
  }

  async all(person: Person, limit = 500): Promise<void> {
    while (await this.next(person, limit)) {
      // The next page.
    }
  }
}

function newsOf({ conversations }: SyncAnswer, id: string) {
  return conversations.find(({ conversationId }) => conversationId === id);
}

async function addTo(conversationId: string, by: Person, person: Person): Promise<void> {
  const { status } = await by.rest('POST', `/api/conversations/${conversationId}/participants`, {
    json: { participantIds: [person.userId] },
  });
  expect(status).toBe(200);
}

async function removeFrom(conversationId: string, by: Person, person: Person): Promise<void> {
  const { status } = await by.rest(
    'DELETE',
    `/api/conversations/${conversationId}/participants/${person.userId}`,
  );
  expect(status).toBe(200);
}

export function describeSync(target: () => Target): void {
  describe('sync', () => {
    test('gives what was missed in all conversations, and nothing twice', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'sync', 3)) as Trio;
      const [one, two, three] = [
        (await createGroup(ada, [ben, cleo]))._id,
        (await createGroup(ada, [ben]))._id,
        (await createGroup(ben, [ada]))._id,
      ];
      using atBen = await online(target(), ben, 1);
      const before = [
        await atBen.say(one, privateText('1')),
        await atBen.say(one, privateText('2')),
      ];
      const first = await sync(ada);
      expect(first.conversations.map(({ conversationId }) => conversationId).sort()).toEqual(
        [one, two, three].sort(),
      );
      expect(newsOf(first, one)).toMatchObject({ messages: before, lastSeq: 2, unread: 2 });
      expect(newsOf(first, two)).toMatchObject({ messages: [], lastSeq: 0, unread: 0 });
      expect(first).toMatchObject({ left: [], hasMore: false });
      expect(await sync(ada, first.token)).toMatchObject({ conversations: [], left: [] });

      const later = await atBen.say(one, privateText('3'));
      const elsewhere = await atBen.say(three, privateText('1'));
      await atBen.ask('send_reaction', { messageId: before[0]?._id, reactionType: 'love' });
      await atBen.ask('mark_read', { conversationId: one, messageId: later._id });
      await removeFrom(one, ada, cleo);
      const second = await sync(ada, first.token);
      expect(second.conversations).toHaveLength(2);
      expect(newsOf(second, one)).toEqual({
        conversationId: one,
        messages: [later],
        reactions: [
          { messageId: before[0]?._id, reactions: [{ userId: ben.userId, type: 'love' }] },
        ],
        readMarks: [{ userId: ben.userId, messageId: later._id, seq: 3 }],
        members: [{ userId: cleo.userId, member: false, role: null }],
        reset: false,
        lastSeq: 3,
        unread: 3,
      });
      expect(newsOf(second, three)).toMatchObject({ messages: [elsewhere], unread: 1 });
      expect(await sync(ada, first.token)).toEqual(second);
      expect(await sync(ada, second.token)).toMatchObject({ conversations: [], left: [] });
    });

    test('unread is right everywhere at once after a mark on another device', async () => {
      const [ada, ben] = (await newPeople(target(), 'sync', 2)) as [Person, Person];
      const { _id } = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const messages: Message[] = [];
      for (let index = 0; index < 6; index += 1) {
        messages.push(await atAda.say(_id, privateText('unread')));
      }
      const { token } = await sync(ben);
      const answer = await atBen.ask('mark_read', {
        conversationId: _id,
        messageId: messages[3]?._id,
      });
      expect(answer).toStrictEqual({ success: true, unread: 2 });
      const news = newsOf(await sync(ben, token), _id);
      expect(news).toMatchObject({ messages: [], unread: 2, lastSeq: 6 });
      expect(news?.readMarks).toEqual([
        { userId: ben.userId, messageId: messages[3]?._id, seq: 4 },
      ]);
      const list = (await ben.rest('GET', '/api/conversations')).body as { unread: number }[];
      expect(list.map(({ unread }) => unread)).toEqual([2]);
      // Without a token: what is unread, and no more.
      expect(newsOf(await sync(ben), _id)?.messages).toEqual(messages.slice(4));
    });

    test('under concurrent writers a reader with small pages misses nothing', async () => {
      const people = await newPeople(target(), 'busy', 4);
      const [ada, ...writers] = people as [Person, ...Person[]];
      const groups = await Promise.all(
        Array.from({ length: 4 }, (_, index) => createGroup(ada, writers, `busy ${index}`)),
      );
      const connections: ChatConnection[] = [];
      try {
        for (const [index, person] of writers.entries()) {
          connections.push(await online(target(), person, index));
        }
        const writing = { done: false };
        const write = async (connection: ChatConnection, seed: number) => {
          for (let round = 0; round < 20; round += 1) {
            const conversationId = groups[(round + seed) % groups.length]?._id ?? '';
            const { _id: messageId } = await connection.say(conversationId, privateText('busy'));
            await Promise.all([
              connection.ask('mark_read', { conversationId, messageId }),
              connection.ask('send_reaction', { messageId, reactionType: 'like' }),
            ]);
          }
        };
        const done = Promise.all(connections.map(write)).finally(() => {
          writing.done = true;
        });
        const picture = new Picture();
        for (let again = true; again; ) {
          const last = writing.done;
          again = (await picture.next(ada, 3)) || !last;
        }
        await done;
        const seen: Message[] = [];
        for (const { _id } of groups) {
          const history = await ada.history(_id);
          const given = picture.messages.get(_id) ?? [];
          expect(given.map(({ seq }) => seq)).toEqual(history.map(({ seq }) => seq));
          expect(given.map((message) => message._id)).toEqual(history.map(({ _id: id }) => id));
          for (const message of history) {
            expect(picture.reactions.get(message._id)).toEqual(message.reactions);
          }
          for (const { userId } of writers) {
            const own = history.filter(({ senderId }) => senderId === userId).at(-1);
            expect(picture.marks.get(`${_id} ${userId}`)).toBe(own?.seq);
          }
          seen.push(...given);
        }
        expect(seen).toHaveLength(60);
        expect((await sync(ada, picture.token)).conversations).toEqual([]);
      } finally {
        for (const connection of connections) {
          connection.close();
        }
      }
    }, 60_000);

    test('conversations that one left or came into while away', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'sync', 3)) as Trio;
      const [left, kept, again] = [
        (await createGroup(ada, [ben, cleo]))._id,
        (await createGroup(ada, [ben, cleo]))._id,
        (await createGroup(ada, [ben, cleo]))._id,
      ];
      using atAda = await online(target(), ada, 0);
      await atAda.say(left, privateText('early'));
      await atAda.say(again, privateText('early'));
      const { token } = await sync(ben);
      await removeFrom(left, ada, ben);
      await atAda.say(left, privateText('not for ben'));
      await removeFrom(again, ada, ben);
      await addTo(again, ada, ben);
      const back = await atAda.say(again, privateText('welcome back'));
      const joined = (await createGroup(ada, [cleo]))._id;
      await atAda.say(joined, privateText('before ben'));
      await addTo(joined, ada, ben);
      const welcome = await atAda.say(joined, privateText('welcome'));
      const answer = await sync(ben, token);
      expect(answer.left).toEqual([left]);
      expect(answer.conversations.map(({ conversationId }) => conversationId).sort()).toEqual(
        [again, joined].sort(),
      );
      expect(newsOf(answer, joined)).toMatchObject({ messages: [welcome], unread: 1, lastSeq: 2 });
      expect(newsOf(answer, again)).toMatchObject({
        messages: [back],
        members: [{ userId: ben.userId, member: true, role: 'member' }],
      });
      expect(newsOf(answer, kept)).toBeUndefined();
      expect(await sync(ben, answer.token)).toMatchObject({ conversations: [], left: [] });
    });

    test('who missed too many changes is told to take the whole', async () => {
      const [ada, ben] = (await newPeople(target(), 'reset', 2)) as [Person, Person];
      const { _id } = await createGroup(ada, [ben]);
      using atBen = await online(target(), ben, 1);
      const messages = await Promise.all(
        Array.from({ length: 220 }, () => atBen.say(_id, privateText('many'))),
      );
      messages.sort((a, b) => a.seq - b.seq);
      const picture = new Picture();
      await picture.all(ada);
      await Promise.all(
        messages
          .slice(0, 210)
          .map(({ _id: messageId }) =>
            atBen.ask('send_reaction', { messageId, reactionType: 'haha' }),
          ),
      );
      const answer = await sync(ada, picture.token);
      const news = newsOf(answer, _id);
      expect(news).toMatchObject({ reset: true, messages: [], lastSeq: 220, unread: 220 });
      const reactions = [{ userId: ben.userId, type: 'haha' }];
      expect(news?.reactions).toEqual(
        messages.slice(20).map((message, index) => ({
          messageId: message._id,
          reactions: index < 190 ? reactions : [],
        })),
      );
      expect(news?.members.map(({ userId }) => userId).sort()).toEqual(
        [ada.userId, ben.userId].sort(),
      );
      expect((await sync(ada, answer.token)).conversations).toEqual([]);
    }, 60_000);

    test('more than 500 conversations', async () => {
      const [ada, ben] = (await newPeople(target(), 'many', 2)) as [Person, Person];
      const ids: string[] = [];
      for (let round = 0; round < 51; round += 1) {
        const groups = await Promise.all(
          Array.from({ length: 10 }, () => createGroup(ada, [ben], 'one of many')),
        );
        ids.push(...groups.map(({ _id }) => _id));
      }
      const picture = new Picture();
      await picture.all(ben);
      expect([...picture.messages.keys()].sort()).toEqual(ids.toSorted());
      using atAda = await online(target(), ada);
      const [first = '', last = ''] = [ids[0], ids.at(-1)];
      const sent = [
        await atAda.say(first, privateText('news')),
        await atAda.say(last, privateText('news')),
      ];
      await removeFrom(ids[100] ?? '', ada, ben);
      const answer = await sync(ben, picture.token);
      expect(answer.left).toEqual([ids[100]]);
      expect(answer.conversations).toHaveLength(2);
      expect(newsOf(answer, first)?.messages).toEqual([sent[0]]);
      expect(newsOf(answer, last)?.messages).toEqual([sent[1]]);
      expect(await sync(ben, picture.token)).toMatchObject({ left: answer.left });
      expect((await sync(ben, answer.token)).conversations).toEqual([]);
      const stolen = await ada.rest('GET', '/sync', { query: { since: answer.token } });
      expectRestError(stolen, 400, 'VALIDATION', 'since');
    }, 120_000);

    test('tokens of others, pieces and garbage are refused, and so is who has no access', async () => {
      const [ada, ben] = (await newPeople(target(), 'token', 2)) as [Person, Person];
      const { _id } = await createGroup(ada, [ben]);
      using atBen = await online(target(), ben);
      await atBen.say(_id, privateText('secret'));
      const { token } = await sync(ada);
      const wrong = [
        (await sync(ben)).token,
        token.slice(0, -2),
        token.slice(2),
        `${token}${token}`,
        'garbage',
        '%00',
        '',
        'A'.repeat(7500),
      ];
      for (const since of wrong) {
        const answer = await ada.rest('GET', '/sync', { query: { since } });
        expectRestError(answer, 400, 'VALIDATION', 'since');
      }
      const twice = await ada.rest('GET', `/sync?since=${token}&since=${token}`);
      expectRestError(twice, 400, 'VALIDATION', 'since');
      for (const limit of [0, -1, 1001, 1.5, 'ten']) {
        const answer = await ada.rest('GET', '/sync', { query: { limit } });
        expectRestError(answer, 400, 'VALIDATION', 'limit');
      }
      const anonymous = await ada.rest('GET', '/sync', { token: undefined });
      expectRestError(anonymous, 401, 'AUTH_REQUIRED');
    });
  });
}
