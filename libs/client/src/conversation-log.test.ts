import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConversationLog } from './conversation-log.ts';
import type { Message } from './shapes.ts';

function message(seq: number): Message {
  return {
    _id: `id-${seq}`,
    conversationId: 'c',
    seq,
    senderId: 'ada',
    content: `text ${seq}`,
    clientMessageId: `client-${seq}`,
    reactions: [],
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}
const run = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);

describe('one list of a conversation', () => {
  test('appends what is next, ignores what is known, holds what is ahead', () => {
    const log = new ConversationLog('c', 100);
    log.position(5);
    expect(seqs(log.receive([message(6)]))).toEqual([6]);
    expect(log.receive([message(6), message(3)])).toEqual([]);
    expect(log.receive([message(9), message(8)])).toEqual([]);
    expect(log.hasGap).toBe(true);
    expect(seqs(log.receive([message(7)]))).toEqual([7, 8, 9]);
    expect(log.hasGap).toBe(false);
    expect(seqs(log.messages)).toEqual([6, 7, 8, 9]);
  });

  test('holds everything until it is known where it begins', () => {
    const log = new ConversationLog('c', 100);
    expect(log.receive([message(12), message(11)])).toEqual([]);
    expect(log.hasGap).toBe(false);
    expect(seqs(log.receivePage(run(8, 10)))).toEqual([8, 9, 10, 11, 12]);
    expect(log.first).toBe(8);
  });

  test('begins by itself with the first message there is', () => {
    const log = new ConversationLog('c', 100);
    expect(log.receive([message(2)])).toEqual([]);
    expect(seqs(log.receive([message(1)]))).toEqual([1, 2]);
    expect(log.hasOlder).toBe(false);
  });

  test('whatever the order, the repetitions and the pages: dense, rising, each appended once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 }),
        (start, arrivals) => {
          const log = new ConversationLog('c', 30);
          const appended = log.position(start);
          for (const seq of arrivals) {
            appended.push(...log.receive([message(seq)]));
          }
          // What is missing is fetched as a page.
          appended.push(...log.receivePage(run(log.last + 1, 60)));
          expect(seqs(appended)).toEqual(seqs(run(start + 1, 60)));
          expect(seqs(log.messages)).toEqual(seqs(appended).slice(-30));
        },
      ),
    );
  });

  test('keeps the newest, and older ones that were asked for until trimmed', () => {
    const log = new ConversationLog('c', 10);
    log.position(100);
    log.receive(run(101, 120));
    expect(log.first).toBe(111);
    expect(log.prepend(run(61, 110))).toBe(50);
    log.receive(run(121, 125));
    expect(log.messages).toHaveLength(60);
    expect(log.first).toBe(66);
    log.trim();
    expect(seqs(log.messages)).toEqual(seqs(run(116, 125)));
  });

  test('refuses an older page that would leave a gap', () => {
    const log = new ConversationLog('c', 10);
    log.position(100);
    expect(log.prepend(run(80, 90))).toBe(0);
    expect(log.messages).toEqual([]);
    expect(log.hasOlder).toBe(true);
  });

  test('bounds what is held, and knows that the rest is missing', () => {
    const log = new ConversationLog('c', 5000);
    log.position(0);
    log.receive(run(2, 2000));
    expect(seqs(log.receive([message(1)])).at(-1)).toBe(501);
    expect(log.hasGap).toBe(true);
    expect(log.head).toBe(2000);
  });

  test('a page that was read before a reaction does not undo it', async () => {
    const log = new ConversationLog('c', 10);
    log.position(5);
    const reactions = [{ userId: 'ben', type: 'like' as const }];
    await log.whileLoading(async () => {
      log.react('id-4', reactions);
      log.prepend(run(1, 5));
    });
    expect(log.at(4)?.reactions).toEqual(reactions);
    expect(log.react('id-3', reactions)).toBe(true);
    expect(log.at(3)?.reactions).toEqual(reactions);
    expect(log.react('id-99', reactions)).toBe(false);
  });

  test('gives the same array until something changes', () => {
    const log = new ConversationLog('c', 10);
    log.position(0);
    log.receive([message(1)]);
    const before = log.messages;
    expect(log.messages).toBe(before);
    log.receive([message(2)]);
    expect(log.messages).not.toBe(before);
    expect(before).toHaveLength(1);
  });
});
