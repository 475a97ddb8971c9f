import type { Message } from '@bambochat/client';
import { describe, expect, test } from 'vitest';
import { groupMessages, type Row } from './group-messages.ts';

/** A message at this local time of 5 May. */
function message(seq: number, senderId: string, time: string, day = 5): Message {
  const [hour, minute] = time.split(':').map(Number);
  return {
    _id: `id-${seq}`,
    conversationId: 'c',
    seq,
    senderId,
    content: String(seq),
    clientMessageId: `client-${seq}`,
    reactions: [],
    createdAt: new Date(2026, 4, day, hour, minute).toISOString(),
  };
}

function rows(messages: Message[], options: Partial<Parameters<typeof groupMessages>[0]> = {}) {
  return groupMessages({ messages, outgoing: [], userId: 'ada', dividerSeq: null, ...options });
}

/** As `day`, `new`, or the text with `[` where a run begins and `]` where it ends. */
function outline(all: readonly Row[]): string {
  return all
    .map((row) => {
      if (row.kind === 'day' || row.kind === 'divider') {
        return row.kind;
      }
      return `${row.isFirst ? '[' : ''}${row.message.content}${row.isLast ? ']' : ''}`;
    })
    .join(' ');
}

describe('the rows of a view', () => {
  test('are none without messages', () => {
    expect(rows([])).toEqual([]);
  });

  test('runs are of one sender, one day and without long silence', () => {
    const messages = [
      message(1, 'ben', '10:00'),
      message(2, 'ben', '10:04'),
      message(3, 'ada', '10:04'),
      message(4, 'ada', '10:20'),
      message(5, 'ada', '00:01', 6),
    ];
    expect(outline(rows(messages))).toBe('day [1 2] [3] [4] day [5]');
  });

  test('what is new begins behind a line, and begins a run', () => {
    const messages = [
      message(1, 'ben', '10:00'),
      message(2, 'ben', '10:01'),
      message(3, 'ben', '10:02'),
    ];
    expect(outline(rows(messages, { dividerSeq: 1 }))).toBe('day [1] divider [2 3]');
    expect(outline(rows(messages, { dividerSeq: 3 }))).toBe('day [1 2 3]');
  });

  test('what waits follows, in the run of what one has just said', () => {
    const waiting = {
      clientMessageId: 'w',
      content: 'w',
      createdAt: message(9, 'ada', '10:02').createdAt,
      state: 'pending' as const,
      problem: null,
    };
    const all = rows([message(1, 'ada', '10:00')], { outgoing: [waiting] });
    expect(outline(all)).toBe('day [1 w]');
  });

  test("one's own keeps its row when it is confirmed; that of others is known by its id", () => {
    const own = message(1, 'ada', '10:00');
    const waiting = {
      clientMessageId: own.clientMessageId,
      content: own.content,
      createdAt: own.createdAt,
      state: 'pending' as const,
      problem: null,
    };
    const before = rows([], { outgoing: [waiting] });
    expect(rows([own]).map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(rows([message(2, 'ben', '10:00')]).at(-1)?.key).toBe('id-2');
  });

  test('keys are unique', () => {
    const messages = [message(1, 'ben', '10:00'), message(2, 'ada', '10:00', 6)];
    const keys = rows(messages, { dividerSeq: 1 }).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
