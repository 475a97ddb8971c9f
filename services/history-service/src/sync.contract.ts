import type { ConversationId, Message, MessageId, SyncAnswer, UserId } from '@bambochat/protocol';
import { CHANGES_KEPT } from '@bambochat/stores';
import { uuidv7 } from 'uuidv7';
import { describe, expect, test } from 'vitest';
import {
  byId,
  type History,
  newUsers,
  type OpenStores,
  type Stores,
  seqs,
  serve,
  shareHistory,
} from './history-fixture.ts';

/** What `GET /sync` promises on any engine. Tests share the stores and use new users each. */
export function syncContract(name: string, open: OpenStores): void {
  describe(`sync: ${name}`, () => {
    let stores: Stores;
    let history: History;
    shareHistory(open, (opened) => {
      ({ stores, history } = opened);
    });

    const quiet = { messages: [], reactions: [], readMarks: [], members: [], reset: false };
    const markOf = (message: Message, userId: string) => ({
      userId,
      messageId: message._id,
      seq: message.seq,
    });

    test('begins with all that is unread and every conversation, then gives what is new', async () => {
      const [alice, bob] = newUsers();
      const [busy, silent] = [await history.group(alice, bob), await history.group(alice)];
      const before = await history.say(busy, bob, 4);
      await history.mark(before[1] as Message, alice);
      const first = await history.sync(alice);
      expect(first).toMatchObject({ left: [], hasMore: false });
      expect(first.conversations).toHaveLength(2);
      expect(byId(first, silent)).toEqual({
        ...quiet,
        conversationId: silent,
        lastSeq: 0,
        unread: 0,
      });
      expect(byId(first, busy)).toEqual({
        ...quiet,
        conversationId: busy,
        messages: before.slice(2),
        readMarks: [markOf(before[1] as Message, alice)],
        lastSeq: 4,
        unread: 2,
      });
      const nothing = { conversations: [], left: [], token: first.token, hasMore: false };
      expect(await history.sync(alice, first.token)).toEqual(nothing);
      const [fifth] = await history.say(busy, bob);
      const second = await history.sync(alice, first.token);
      expect(second.conversations).toEqual([
        { ...quiet, conversationId: busy, messages: [fifth], lastSeq: 5, unread: 3 },
      ]);
      expect((await history.sync(alice, second.token)).conversations).toEqual([]);
      // The answer was lost: the old token gives the same again.
      expect(await history.sync(alice, first.token)).toEqual(second);
    });

    test('tells reactions, marks and members as they are now, of what has changed only', async () => {
      const [alice, bob, carol] = newUsers();
      const [id, other] = [await history.group(alice, bob), await history.group(alice, bob)];
      const [one, two, three] = (await history.say(id, bob, 3)) as [Message, Message, Message];
      await history.say(other, bob, 1);
      await history.react(one, bob, 'sad');
      const { token } = await history.sync(alice);
      await history.react(two, bob);
      await history.react(two, bob, 'love');
      await history.react(one, bob, 'sad');
      await history.mark(three, bob);
      await history.add(id, carol, 2);
      await history.add(id, 'dave', 3);
      await history.remove(id, 'dave');
      const answer = await history.sync(alice, token);
      expect(answer.conversations).toEqual([
        {
          conversationId: id,
          messages: [],
          reactions: expect.arrayContaining([
            { messageId: two._id, reactions: [{ userId: bob, type: 'love' }] },
            { messageId: one._id, reactions: [] },
          ]),
          readMarks: expect.arrayContaining([markOf(three, bob), markOf(two, carol)]),
          members: [
            { userId: carol, member: true, role: 'member' },
            { userId: 'dave', member: false, role: null },
          ],
          reset: false,
          lastSeq: 3,
          unread: 3,
        },
      ]);
      expect(byId(answer, id)?.reactions).toHaveLength(2);
      expect(byId(answer, id)?.readMarks).toHaveLength(2);
      expect((await history.sync(alice, answer.token)).conversations).toEqual([]);
    });

    test('unread follows a mark that was made on another device', async () => {
      const [alice, bob] = newUsers();
      const id = await history.group(alice, bob);
      const messages = await history.say(id, bob, 10);
      const { token } = await history.sync(alice);
      await history.mark(messages[7] as Message, alice);
      const answer = await history.sync(alice, token);
      expect(answer.conversations).toEqual([
        {
          ...quiet,
          conversationId: id,
          readMarks: [markOf(messages[7] as Message, alice)],
          lastSeq: 10,
          unread: 2,
        },
      ]);
      expect(byId(await history.sync(alice), id)?.messages).toEqual(messages.slice(8));
    });

    test('pages by messages, each conversation in order, whatever the limit', async () => {
      const [alice, bob] = newUsers();
      const counts = [0, 3, 11, 25];
      const ids = await Promise.all(counts.map(() => history.group(alice, bob)));
      const sent = await Promise.all(
        ids.map((id, index) => history.say(id, bob, counts[index] ?? 0)),
      );
      for (const limit of [1, 7, 39, 1000]) {
        const { answers } = await history.syncAll(alice, undefined, limit);
        for (const [index, id] of ids.entries()) {
          const given = answers.flatMap((answer) => byId(answer, id)?.messages ?? []);
          expect(given).toEqual(sent[index]);
        }
        for (const { conversations } of answers) {
          const count = conversations.flatMap(({ messages }) => messages).length;
          expect(count).toBeLessThanOrEqual(limit);
        }
        expect(answers.length).toBe(Math.max(1, Math.ceil(39 / limit)));
      }
    });

    test('under concurrent writers skips nothing and gives nothing twice', async () => {
      const [alice, bob, carol] = newUsers();
      const ids = await Promise.all(Array.from({ length: 5 }, () => history.group(alice, bob)));
      // Who is in a conversation that is new to a client is told elsewhere: so none is, later on.
      const beginning = await history.syncAll(alice);
      expect(beginning.answers.flatMap(({ conversations }) => conversations)).toHaveLength(5);
      let writing = true;
      const writer = async (id: ConversationId, index: number) => {
        for (let round = 0; round < 12; round += 1) {
          const [newest] = (await history.say(id, bob, 1 + ((round + index) % 3))) as [Message];
          await history.mark(newest, bob);
          await history.react(newest, carol, round % 2 ? 'like' : 'sad');
          if (round % 5 === index) {
            await history.add(id, `${carol}-${round}`);
          }
        }
      };
      const writers = Promise.all(ids.map(writer)).finally(() => {
        writing = false;
      });
      const answers: SyncAnswer[] = [...beginning.answers];
      let { token }: { token: string } = beginning;
      for (let again = true; again; ) {
        const wasWriting = writing;
        const answer = await history.sync(alice, token, 4);
        answers.push(answer);
        token = answer.token;
        again = wasWriting || answer.hasMore;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writers;
      for (const id of ids) {
        const stored = await stores.messageStore.page(id, { after: 0, limit: 1000 });
        const given = answers.flatMap((answer) => byId(answer, id) ?? []);
        const shown = given.flatMap(({ messages }) => messages);
        expect(seqs(shown)).toEqual(seqs(stored));
        // What a client makes of it is what is there.
        const reactions = new Map<MessageId, unknown>();
        const marks = new Map<string, unknown>();
        const members = new Map<string, unknown>();
        for (const news of given) {
          for (const message of news.messages) {
            reactions.set(message._id, message.reactions);
          }
          for (const each of news.reactions) {
            reactions.set(each.messageId, each.reactions);
          }
          for (const each of news.readMarks) {
            marks.set(each.userId, each.seq);
          }
          for (const each of news.members) {
            members.set(each.userId, each.member);
          }
        }
        expect(reactions).toEqual(new Map(stored.map(({ _id, reactions: all }) => [_id, all])));
        const participants = await stores.directoryStore.participantsOf(id, 100);
        for (const { userId, readSeq } of participants) {
          expect(marks.get(userId) ?? 0, userId).toBe(readSeq);
        }
        expect([...members.keys()].sort()).toEqual(
          participants
            .map(({ userId }) => userId as string)
            .filter((userId) => userId.startsWith(carol))
            .sort(),
        );
        expect(given.at(-1)?.lastSeq).toBe(stored.length);
      }
      expect((await history.sync(alice, token)).conversations).toEqual([]);
    }, 30_000);

    test('what changes between two reads of one call is given now or next time', async () => {
      const [alice, bob, carol] = newUsers();
      const id = await history.group(alice, bob);
      const [one] = (await history.say(id, bob, 2)) as [Message];
      const { token } = await history.sync(alice);
      await history.say(id, bob, 1);
      await history.mark(one, bob);
      /** Does something once, before or after the first call of one method. */
      const meddle = async (
        port: keyof Stores,
        method: string,
        when: 'before' | 'after',
      ): Promise<void> => {
        let isFirst = true;
        const around = async (...args: unknown[]) => {
          const call = () =>
            (stores[port] as unknown as Record<string, (...all: unknown[]) => unknown>)[method]?.(
              ...args,
            );
          if (!isFirst) {
            return call();
          }
          isFirst = false;
          const early = when === 'after' ? await call() : null;
          const [latest] = (await history.say(id, bob, 1)) as [Message];
          await history.mark(latest, bob);
          await history.react(one, carol);
          await history.react(latest, bob);
          return when === 'after' ? early : call();
        };
        const served = await serve(stores, {
          ...stores,
          [port]: { ...stores[port], [method]: around },
        });
        const first = await served.sync(alice, token);
        expect(isFirst, method).toBe(false);
        const second = await served.sync(alice, first.token);
        await served.close();
        const stored = await stores.messageStore.page(id, { after: 0, limit: 1000 });
        const given = [first, second].flatMap((answer) => byId(answer, id) ?? []);
        expect(seqs(given.flatMap(({ messages }) => messages))).toEqual(seqs(stored.slice(2)));
        const reactions = new Map<string, unknown>();
        for (const news of given) {
          for (const message of news.messages) {
            reactions.set(message._id, message.reactions);
          }
          for (const each of news.reactions) {
            reactions.set(each.messageId, each.reactions);
          }
        }
        expect(reactions.get(one._id)).toEqual(stored[0]?.reactions);
        for (const { _id, reactions: all } of stored.slice(2)) {
          expect(reactions.get(_id), method).toEqual(all);
        }
        const marks = given.flatMap(({ readMarks }) => readMarks);
        expect(marks.at(-1)?.seq).toBe(stored.length);
      };
      for (const when of ['before', 'after'] as const) {
        await meddle('directoryStore', 'membershipsOf', when);
        await meddle('syncStore', 'revisions', when);
        await meddle('messageStore', 'headPositions', when);
        await meddle('messageStore', 'page', when);
        await meddle('syncStore', 'changesSince', when);
        await meddle('messageStore', 'reactionsTo', when);
        await meddle('directoryStore', 'memberships', when);
      }
    });

    test('conversations that were left and joined meanwhile', async () => {
      const [alice, bob] = newUsers();
      const [kept, left, again] = [
        await history.group(alice, bob),
        await history.group(alice, bob),
        await history.group(alice, bob),
      ];
      await history.say(again, bob, 1);
      const { token } = await history.sync(alice);
      await history.remove(left, alice);
      await history.remove(again, alice);
      await history.say(again, bob, 2);
      await history.say(left, bob, 2);
      const joined = await history.group(bob);
      await history.say(joined, bob, 5);
      await history.add(joined, alice, 5);
      await history.add(again, alice, 3);
      await history.say(joined, bob, 1);
      const answer = await history.sync(alice, token);
      expect(answer.left).toEqual([left]);
      expect(byId(answer, kept)).toBeUndefined();
      expect(byId(answer, left)).toBeUndefined();
      expect(byId(answer, joined)).toMatchObject({ lastSeq: 6, unread: 1 });
      expect(seqs(byId(answer, joined)?.messages ?? [])).toEqual([6]);
      // Who comes back reads on where they were.
      expect(seqs(byId(answer, again)?.messages ?? [])).toEqual([2, 3]);
      expect(byId(answer, again)?.members).toEqual([
        { userId: alice, member: true, role: 'member' },
      ]);
      const next = await history.sync(alice, answer.token);
      expect(next).toEqual({ conversations: [], left: [], token: answer.token, hasMore: false });
    });

    test('who is removed while it is read gets nothing of it', async () => {
      const [alice, bob] = newUsers();
      const [id, fresh] = [await history.group(alice, bob), await history.group(alice, bob)];
      const { token } = await history.sync(alice);
      await history.say(id, bob, 3);
      const served = await serve(stores, {
        ...stores,
        messageStore: {
          ...stores.messageStore,
          async page(...args) {
            const page = await stores.messageStore.page(...args);
            await history.remove(id, alice);
            return page;
          },
        },
      });
      const answer = await served.sync(alice, token);
      expect(answer).toMatchObject({ conversations: [], left: [id], hasMore: false });
      await history.say(fresh, bob, 1);
      const first = await served.sync(alice);
      await served.close();
      expect(first.conversations.map(({ conversationId }) => conversationId)).toEqual([fresh]);
      expect(first.left).toEqual([]);
    });

    test('a group that is just being made is not shown before it is whole', async () => {
      const [alice, bob] = newUsers();
      const conversationId = uuidv7() as ConversationId;
      await history.add(conversationId, alice);
      const before = await history.sync(alice);
      expect(before.conversations).toEqual([]);
      const at = '2026-03-01T12:30:00.123Z';
      await stores.directoryStore.createGroup(
        { _id: conversationId, type: 'group', name: null, createdAt: at, updatedAt: at },
        [{ conversationId, userId: bob as UserId, role: 'admin', joinedAt: at, readSeq: 0 }],
      );
      const after = await history.sync(alice, before.token);
      expect(after.conversations.map((news) => news.conversationId)).toEqual([conversationId]);
    });

    test('a token older than the journal resets: everybody’s marks and the newest reactions', async () => {
      const [alice, bob, carol] = newUsers();
      const id = await history.group(alice, bob);
      const messages = await history.say(id, bob, CHANGES_KEPT + 50);
      const { token } = await history.sync(alice, undefined, 1000);
      await history.mark(messages[9] as Message, bob);
      await history.add(id, carol, 20);
      for (const message of messages.slice(0, CHANGES_KEPT + 1)) {
        await history.react(message, bob);
      }
      const [newest] = (await history.say(id, bob, 1)) as [Message];
      const answer = await history.sync(alice, token);
      const news = byId(answer, id);
      expect(news).toMatchObject({
        reset: true,
        messages: [newest],
        unread: messages.length + 1,
      });
      expect(news?.readMarks).toEqual([
        markOf(messages[9] as Message, bob),
        markOf(messages[19] as Message, carol),
      ]);
      expect(news?.members.map(({ userId, member }) => [userId, member])).toEqual([
        [alice, true],
        [bob, true],
        [carol, true],
      ]);
      const stored = await stores.messageStore.page(id, { limit: 200 });
      expect(news?.reactions).toEqual(
        stored.map(({ _id, reactions }) => ({ messageId: _id, reactions })),
      );
      const next = await history.sync(alice, answer.token);
      expect(next.conversations).toEqual([]);
    }, 30_000);
  });
}
