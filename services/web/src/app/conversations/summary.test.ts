import type { Conversation, Message } from '@bambochat/client';
import { describe, expect, test } from 'vitest';
import { inListOrder, type LiveConversation, matches, sameSummary, summarise } from './summary.ts';

function person(_id: string, displayName: string) {
  return { _id, displayName, avatar: null, bio: '', role: 'member' as const };
}

function conversation(changes: Partial<Conversation> = {}): Conversation {
  return {
    _id: 'c',
    type: 'direct_message',
    name: null,
    participants: [person('ada', 'Ada'), person('ben', 'Bén Okafor')],
    lastMessage: null,
    lastSeq: 0,
    unread: 0,
    createdAt: '2026-05-01T10:00:00.000Z',
    updatedAt: '2026-05-01T10:00:00.000Z',
    ...changes,
  };
}

function message(seq: number, senderId: string, content: string): Message {
  const createdAt = new Date(Date.UTC(2026, 4, 2, 10, seq)).toISOString();
  const clientMessageId = `client-${seq}`;
  return {
    _id: `m-${seq}`,
    conversationId: 'c',
    seq,
    senderId,
    content,
    clientMessageId,
    reactions: [],
    createdAt,
  };
}

function live(messages: Message[], changes: Partial<LiveConversation> = {}): LiveConversation {
  const lastSeq = messages.at(-1)?.seq ?? 0;
  return { messages, pending: [], lastSeq, readSeq: lastSeq, unread: 0, typing: [], ...changes };
}

describe('the summary of a conversation', () => {
  test('a direct one is called after the other, a group by its name or its members', () => {
    expect(summarise(conversation(), null, 'ada')).toMatchObject({
      title: 'Bén Okafor',
      peerId: 'ben',
      isGroup: false,
    });
    const group = conversation({ type: 'group', name: 'Mill' });
    expect(summarise(group, null, 'ada')).toMatchObject({ title: 'Mill', peerId: null });
    expect(summarise({ ...group, name: null }, null, 'ada').title).toBe('Bén Okafor');
  });

  test('shows what the directory says until there is something newer', () => {
    const lastMessage = { content: 'old', senderId: 'ben', createdAt: '2026-05-02T10:02:00.000Z' };
    const known = conversation({ lastMessage, unread: 3 });
    expect(summarise(known, null, 'ada')).toMatchObject({ last: { text: 'old' }, unread: 3 });
    const unknown = live([], { readSeq: null });
    expect(summarise(known, unknown, 'ada')).toMatchObject({ last: { text: 'old' }, unread: 3 });
    const older = live([message(1, 'ben', 'older')]);
    expect(summarise(known, older, 'ada').last?.text).toBe('old');
    const newer = live([message(3, 'ben', 'newer')], { unread: 1, readSeq: 2 });
    expect(summarise(known, newer, 'ada')).toMatchObject({ last: { text: 'newer' }, unread: 1 });
  });

  test('counts the unread messages that mention the user', () => {
    const messages = [
      message(1, 'ben', '@ada read'),
      message(2, 'ben', '@ada new'),
      message(3, 'ben', 'plain'),
      message(4, 'ada', 'I am @ada'),
    ];
    const state = live(messages, { readSeq: 1, unread: 3 });
    expect(summarise(conversation(), state, 'ada').mentions).toBe(1);
  });

  test('tells when a message failed', () => {
    const summary = summarise(conversation(), live([]), 'ada', '2026-05-02T10:00:00.000Z');
    expect(summary.outgoing).toBe('failed');
  });
});

describe('the list', () => {
  test('has the latest activity first, and one order for what is equal', () => {
    const at = (_id: string, createdAt: string) =>
      summarise(conversation({ _id, createdAt }), null, 'ada');
    const list = [
      at('a', '2026-05-01T00:00:00.000Z'),
      at('c', '2026-05-03T00:00:00.000Z'),
      at('b', '2026-05-03T00:00:00.000Z'),
    ];
    const ids = list.toSorted(inListOrder).map(({ id }) => id);
    expect(ids).toEqual(['c', 'b', 'a']);
    expect(
      list
        .toReversed()
        .toSorted(inListOrder)
        .map(({ id }) => id),
    ).toEqual(ids);
  });

  test('is searched by words, without accents and case', () => {
    const summary = summarise(conversation(), null, 'ada');
    for (const search of ['ben', 'OKA', 'okafor bén', '  ']) {
      expect(matches(summary, search)).toBe(true);
    }
    expect(matches(summary, 'ben x')).toBe(false);
  });

  test('summaries that show the same are the same', () => {
    const one = summarise(conversation(), live([message(1, 'ben', 'a')]), 'ada');
    const same = summarise(conversation(), live([message(1, 'ben', 'a')]), 'ada');
    const other = summarise(conversation(), live([message(2, 'ben', 'b')]), 'ada');
    expect(sameSummary(one, same)).toBe(true);
    expect(sameSummary(one, other)).toBe(false);
  });
});
