import type { Message } from '@bambochat/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEAD_TEXT_MAX } from './head-text.ts';
import { reactionsContract } from './message-reactions.contract.ts';
import type { MessageStore } from './message-store.ts';
import {
  clientId,
  newConversationId,
  newMessageId,
  newUserId,
  sampleMessage,
  sampleRun,
} from './sample-records.fixture.ts';

export interface MessageStoreHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  readonly stores: readonly [MessageStore, MessageStore];
  close(): Promise<void>;
}

/** What every message store must do. Tests share the data and use new conversations each. */
export function messageStoreContract(
  name: string,
  open: () => Promise<MessageStoreHarness>,
  { raceRounds = 60 }: { raceRounds?: number } = {},
): void {
  describe(`message store: ${name}`, () => {
    let harness: MessageStoreHarness;
    let store: MessageStore;
    let other: MessageStore;

    beforeAll(async () => {
      harness = await open();
      [store, other] = harness.stores;
    });
    afterAll(() => harness?.close());

    const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);
    const all = (conversationId: Message['conversationId']) =>
      store.page(conversationId, { after: 0, limit: 1000 });

    describe('insert', () => {
      test('stores messages as they are and in order', async () => {
        const id = newConversationId();
        const messages = sampleRun(id, 1, 5);
        expect(await store.insert(messages)).toEqual({ inserted: 5 });
        expect(await all(id)).toEqual(messages);
        expect(await other.page(id, { after: 0, limit: 10 })).toEqual(messages);
      });

      test('stores reactions and every field exactly', async () => {
        const message = sampleMessage({
          senderId: newUserId('a.b_c-D'),
          clientMessageId: clientId('mine'),
          reactions: [{ userId: newUserId(), type: 'haha' }],
          createdAt: '1999-12-31T23:59:59.001Z',
        });
        await store.insert([message]);
        expect(await all(message.conversationId)).toEqual([message]);
      });

      test('stores a batch of 50 over several conversations', async () => {
        const runs = Array.from({ length: 5 }, () => sampleRun(newConversationId(), 1, 10));
        expect(await store.insert(runs.flat())).toEqual({ inserted: 50 });
        for (const run of runs) {
          expect(await all(run[0]?.conversationId ?? newConversationId())).toEqual(run);
        }
      });

      test('stops at a seq that is taken and keeps what comes before it', async () => {
        const id = newConversationId();
        const first = sampleRun(id, 1, 3);
        await store.insert(first);
        const bystander = sampleRun(newConversationId(), 1, 2);
        const [before, after] = bystander as [Message, Message];
        const zombie = sampleRun(id, 3, 4);
        expect(await other.insert([before, ...zombie, after])).toEqual({ inserted: 1 });
        expect(await all(id)).toEqual(first);
        expect(await all(before.conversationId)).toEqual([before]);
        expect((await store.heads([id])).get(id)?.lastSeq).toBe(3);
        expect((await store.heads([before.conversationId])).size).toBe(1);
      });

      test('stops at a clientMessageId that is taken, whatever the seq', async () => {
        const id = newConversationId();
        const [one, two, three, four] = sampleRun(id, 1, 4) as [Message, Message, Message, Message];
        await store.insert([one]);
        const copy = { ...three, clientMessageId: one.clientMessageId };
        expect(await store.insert([two, copy, four])).toEqual({ inserted: 1 });
        expect(await all(id)).toEqual([one, two]);
      });

      test('a clientMessageId is unique per sender and conversation only', async () => {
        const id = newConversationId();
        const clientMessageId = clientId('the same');
        const messages = [
          sampleMessage({ conversationId: id, seq: 1, clientMessageId }),
          sampleMessage({ conversationId: id, seq: 2, clientMessageId, senderId: newUserId() }),
          sampleMessage({ clientMessageId }),
        ];
        expect(await store.insert(messages)).toEqual({ inserted: 3 });
      });

      test('tells clientMessageIds apart that differ after a NUL or in composition', async () => {
        const id = newConversationId();
        const ids = ['a\0b', 'a\0c', 'a', 'A', 'a ', '\u00e9', 'e\u0301'];
        const messages = ids.map((text, index) =>
          sampleMessage({ conversationId: id, seq: index + 1, clientMessageId: clientId(text) }),
        );
        expect(await store.insert(messages)).toEqual({ inserted: ids.length });
        expect((await all(id)).map(({ clientMessageId }) => clientMessageId)).toEqual(ids);
      });

      test('stops at an _id that is taken', async () => {
        const taken = sampleMessage();
        await store.insert([taken]);
        const copy = sampleMessage({ _id: taken._id });
        expect(await store.insert([copy])).toEqual({ inserted: 0 });
        expect(await all(copy.conversationId)).toEqual([]);
      });

      test('a batch that conflicts with itself stores its prefix', async () => {
        const id = newConversationId();
        const [one, two] = sampleRun(id, 1, 2) as [Message, Message];
        expect(await store.insert([one, { ...two, seq: 1 }])).toEqual({ inserted: 1 });
        expect(await all(id)).toEqual([one]);
      });

      test('repeating a batch that was stored inserts nothing', async () => {
        const id = newConversationId();
        const messages = sampleRun(id, 1, 3);
        await store.insert(messages);
        expect(await store.insert(messages)).toEqual({ inserted: 0 });
        expect(await all(id)).toEqual(messages);
      });

      test('nothing in, nothing stored', async () => {
        expect(await store.insert([])).toEqual({ inserted: 0 });
      });

      test('calls made at once have each their own outcome', async () => {
        const id = newConversationId();
        const run = sampleRun(id, 1, 3) as [Message, Message, Message];
        const taken = sampleMessage();
        await store.insert([taken]);
        const outcomes = await Promise.all([
          store.insert([run[0]]),
          store.insert([sampleMessage({ _id: taken._id })]),
          store.insert([sampleMessage(), sampleMessage()]),
        ]);
        expect(outcomes.map(({ inserted }) => inserted)).toEqual([1, 0, 2]);
      });

      test('of two writers with one seq exactly one wins, every time', async () => {
        const id = newConversationId();
        for (let seq = 1; seq <= raceRounds; seq += 1) {
          const mine = sampleMessage({ conversationId: id, seq, content: 'mine' });
          const theirs = sampleMessage({ conversationId: id, seq, content: 'theirs' });
          const [a, b] = await Promise.all([store.insert([mine]), other.insert([theirs])]);
          expect([a.inserted, b.inserted].sort()).toEqual([0, 1]);
        }
        expect(seqs(await all(id))).toEqual(Array.from({ length: raceRounds }, (_, i) => i + 1));
        expect((await store.heads([id])).get(id)?.lastSeq).toBe(raceRounds);
      });

      test('of two racing batches the winner stores a prefix and the loser goes on behind', async () => {
        const id = newConversationId();
        const mine = sampleRun(id, 1, 20);
        const theirs = sampleRun(id, 1, 20);
        const [a, b] = await Promise.all([store.insert(mine), other.insert(theirs)]);
        const stored = await all(id);
        expect(seqs(stored)).toEqual(Array.from({ length: stored.length }, (_, i) => i + 1));
        expect(stored).toHaveLength(a.inserted + b.inserted);
        expect(Math.max(a.inserted, b.inserted)).toBeGreaterThan(0);
      });
    });

    describe('content', () => {
      const texts: [string, string][] = [
        ['NUL characters', '\0a\0\0b\0'],
        [
          'all control characters',
          String.fromCharCode(...Array.from({ length: 160 }, (_, i) => i)),
        ],
        ['emoji with joiners', '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽'],
        ['right to left', 'שלום \u202eمرحبا\u202c عالم'],
        ['composed and decomposed', '\u00e9 e\u0301 \uFEFF\u200b\ufffd\uffff'],
        ['quotes and operators', `'"; DROP TABLE messages; -- {"$gt": ""} \\u0000 %_`],
        ['spaces at both ends', '  \n\t x \r\n '],
        ['4000 characters of one unit', 'ä'.repeat(4000)],
        ['4000 characters of two units', '😀'.repeat(4000)],
        ['16000 characters with padding', `x${' '.repeat(15_999)}`],
      ];
      test.each(texts)('is kept exactly: %s', async (_name, content) => {
        const message = sampleMessage({ content });
        await store.insert([message]);
        expect((await all(message.conversationId))[0]?.content).toBe(content);
        const head = (await store.heads([message.conversationId])).get(message.conversationId);
        expect(head?.content.isWellFormed()).toBe(true);
        expect(content.startsWith(head?.content ?? 'no head')).toBe(true);
        expect(head?.content.length).toBeGreaterThanOrEqual(
          Math.min(content.length, HEAD_TEXT_MAX - 1),
        );
      });

      test('is kept exactly: any well-formed text', async () => {
        const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
        await fc.assert(
          fc.asyncProperty(fc.array(text, { minLength: 20, maxLength: 20 }), async (contents) => {
            const id = newConversationId();
            const messages = contents.map((content, index) =>
              sampleMessage({ conversationId: id, seq: index + 1, content }),
            );
            await store.insert(messages);
            expect(await all(id)).toEqual(messages);
          }),
          { numRuns: 15 },
        );
      });
    });

    describe('page', () => {
      const id = newConversationId();
      const neighbour = newConversationId();
      beforeAll(async () => {
        await store.insert(sampleRun(id, 1, 30));
        await store.insert(sampleRun(neighbour, 1, 40));
      });

      const cases: [string, Parameters<MessageStore['page']>[1], number[]][] = [
        ['the newest ones without a cursor', { limit: 3 }, [28, 29, 30]],
        ['all when the limit allows', { limit: 200 }, Array.from({ length: 30 }, (_, i) => i + 1)],
        ['the last ones before a seq', { before: 10, limit: 3 }, [7, 8, 9]],
        ['what is left before a seq', { before: 3, limit: 5 }, [1, 2]],
        ['nothing before the first', { before: 1, limit: 5 }, []],
        ['the newest ones before a seq beyond the end', { before: 99, limit: 2 }, [29, 30]],
        ['the first ones after a seq', { after: 10, limit: 3 }, [11, 12, 13]],
        ['from the beginning after 0', { after: 0, limit: 2 }, [1, 2]],
        ['what is left after a seq', { after: 28, limit: 5 }, [29, 30]],
        ['nothing after the last', { after: 30, limit: 5 }, []],
        ['nothing after a seq beyond the end', { after: 1e15, limit: 5 }, []],
        ['the first ones between two', { after: 5, before: 20, limit: 3 }, [6, 7, 8]],
        ['nothing for a limit of 0', { limit: 0 }, []],
        ['nothing after a seq for a limit of 0', { after: 3, limit: 0 }, []],
      ];
      test.each(cases)('gives %s', async (_name, range, expected) => {
        const page = await store.page(id, range);
        expect(seqs(page)).toEqual(expected);
        expect(page.every(({ conversationId }) => conversationId === id)).toBe(true);
      });

      test('is right even where numbers are missing', async () => {
        const gappy = newConversationId();
        const numbers = [1, 2, 40, 41, 90, 200];
        await store.insert(numbers.map((seq) => sampleMessage({ conversationId: gappy, seq })));
        expect(seqs(await store.page(gappy, { limit: 4 }))).toEqual([40, 41, 90, 200]);
        expect(seqs(await store.page(gappy, { before: 90, limit: 3 }))).toEqual([2, 40, 41]);
        expect(seqs(await store.page(gappy, { after: 2, limit: 3 }))).toEqual([40, 41, 90]);
      });

      test('is empty for an unknown conversation', async () => {
        expect(await store.page(newConversationId(), { limit: 5 })).toEqual([]);
      });
    });

    test('seqOf finds a message in its own conversation only', async () => {
      const [one, two] = sampleRun(newConversationId(), 1, 2) as [Message, Message];
      await store.insert([one, two]);
      expect(await store.seqOf(two.conversationId, two._id)).toBe(2);
      expect(await store.seqOf(newConversationId(), two._id)).toBeNull();
      expect(await store.seqOf(two.conversationId, newMessageId())).toBeNull();
    });

    test('lastOf tells the newest message of many conversations', async () => {
      const runs = Array.from({ length: 30 }, (_, index) =>
        sampleRun(newConversationId(), 1, index + 1),
      );
      await store.insert(runs.flat());
      const ids = runs.map((run) => run[0]?.conversationId ?? newConversationId());
      const last = await store.lastOf([...ids, newConversationId()]);
      expect(last.size).toBe(30);
      for (const run of runs) {
        const newest = run.at(-1) as Message;
        expect(last.get(newest.conversationId)).toEqual({ seq: newest.seq, _id: newest._id });
      }
      expect(await store.lastOf([])).toEqual(new Map());
    });

    describe('findByClientMessageIds', () => {
      test('gives the stored copies of those that exist', async () => {
        const id = newConversationId();
        const run = sampleRun(id, 1, 10);
        const foreign = sampleMessage({ senderId: newUserId() });
        await store.insert([...run, foreign]);
        const [first, , third] = run as [Message, Message, Message];
        const found = await other.findByClientMessageIds([
          third,
          first,
          foreign,
          third,
          { ...first, senderId: newUserId() },
          { ...first, conversationId: newConversationId() },
          { ...first, clientMessageId: clientId('unknown') },
          { ...foreign, clientMessageId: first.clientMessageId },
        ]);
        expect(found.sort((a, b) => a._id.localeCompare(b._id))).toEqual([first, third, foreign]);
      });

      test('answers 500 keys, and none', async () => {
        const run = sampleRun(newConversationId(), 1, 20);
        await store.insert(run);
        const unknown = Array.from({ length: 480 }, () => sampleMessage());
        expect(await store.findByClientMessageIds([...unknown, ...run])).toHaveLength(20);
        expect(await store.findByClientMessageIds([])).toEqual([]);
      });
    });

    describe('heads', () => {
      test('follow the newest message of each conversation', async () => {
        const one = sampleRun(newConversationId(), 1, 3);
        const two = sampleRun(newConversationId(), 1, 1);
        await store.insert([...one, ...two]);
        const ids = [one, two].map((run) => run[0]?.conversationId ?? newConversationId());
        const heads = await other.heads([...ids, newConversationId()]);
        expect(heads.size).toBe(2);
        const newest = one[2] as Message;
        expect(heads.get(newest.conversationId)).toEqual({
          lastSeq: 3,
          content: newest.content,
          senderId: newest.senderId,
          createdAt: newest.createdAt,
        });
        expect(await store.heads([])).toEqual(new Map());
      });

      test('move forward for a writer that died, and never back', async () => {
        const id = newConversationId();
        const run = sampleRun(id, 1, 5);
        const lastSeq = async () => (await store.heads([id])).get(id)?.lastSeq;
        await store.advanceHeads([]);
        await store.advanceHeads(run.slice(0, 3));
        expect(await lastSeq()).toBe(3);
        await store.advanceHeads(run.slice(0, 1));
        await store.advanceHeads(run.slice(0, 3));
        expect(await lastSeq()).toBe(3);
        await store.advanceHeads([...run].reverse());
        expect(await lastSeq()).toBe(5);
      });

      test('end at the greatest seq when they are advanced at once', async () => {
        for (let round = 0; round < 15; round += 1) {
          const id = newConversationId();
          const run = sampleRun(id, 1, 8);
          const shuffled = run.toSorted(
            (a, b) => ((a.seq * 5 + round) % 8) - ((b.seq * 5 + round) % 8),
          );
          await Promise.all(
            shuffled.map((message, index) => (index % 2 ? store : other).advanceHeads([message])),
          );
          expect((await store.heads([id])).get(id)?.lastSeq).toBe(8);
        }
      });
    });

    reactionsContract(() => harness.stores);

    test('check resolves while the engine answers', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
