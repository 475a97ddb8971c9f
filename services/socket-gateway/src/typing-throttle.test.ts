import { EventEmitter } from 'node:events';
import type { ConversationId } from '@bambochat/protocol';
import { conversationRoom } from '@bambochat/rooms';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import { newConversationId } from './gateway-fixture.ts';
import { createTyping } from './typing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Told {
  conversationId: ConversationId;
  isTyping: boolean;
}

/** One socket in some rooms, and what the others in them are told. */
function startTyping(options: { interval?: number; conversations?: number } = {}) {
  const conversations = Array.from({ length: options.conversations ?? 1 }, newConversationId);
  const told: Told[] = [];
  const dropped = { volatile: false };
  const emit = (_event: string, { conversationId, isTyping }: Told) =>
    told.push({ conversationId, isTyping });
  const volatile = {
    emit: (event: string, payload: Told) => dropped.volatile || emit(event, payload),
  };
  const socket = {
    id: 'socket',
    data: { userId: 'alice' },
    rooms: new Set(conversations.map(conversationRoom)),
    to: () => ({ emit, volatile }),
  } as unknown as ChatSocket;
  const namespace = { adapter: new EventEmitter(), sockets: new Map([['socket', socket]]) };
  const server = { of: () => namespace } as unknown as ChatServer;
  const typing = createTyping({ server, interval: options.interval ?? 1000 });
  const [conversationId] = conversations as [ConversationId];
  return {
    socket,
    conversations,
    told,
    dropped,
    type(isTyping: boolean, where = conversationId) {
      const answer = { succeed() {}, fail() {} };
      void typing.definition.handle(socket, { conversationId: where, isTyping }, answer);
    },
    states: () => told.map(({ isTyping }) => isTyping),
    send: () => typing.clear(socket, conversationId),
    leave(where = conversationId) {
      namespace.adapter.emit('leave-room', conversationRoom(where), 'socket');
    },
    pass: (ms: number) => vi.advanceTimersByTime(ms),
  };
}

test('the first state goes out at once, the newest at the end of the interval', () => {
  const it = startTyping();
  for (let count = 0; count < 25; count += 1) {
    it.type(true);
    it.type(false);
  }
  it.pass(999);
  expect(it.states()).toEqual([true]);
  it.pass(1);
  expect(it.states()).toEqual([true, false]);
  it.pass(10_000);
  expect(it.states()).toEqual([true, false]);
  expect(it.socket.data.typing).toBeUndefined();
});

test('a true that is repeated is renewed once in each interval', () => {
  const it = startTyping();
  for (let count = 0; count < 10; count += 1) {
    it.type(true);
    it.pass(300);
  }
  expect(it.states()).toEqual([true, true, true, true]);
  it.type(false);
  it.pass(1000);
  expect(it.states()).toEqual([true, true, true, true, false]);
});

test('a false as the very first thing is told, repeated ones are not within the interval', () => {
  const it = startTyping();
  it.type(false);
  it.type(true);
  it.type(false);
  it.pass(1000);
  expect(it.states()).toEqual([false]);
  it.type(false);
  expect(it.states()).toEqual([false, false]);
});

test('conversations are throttled each for itself', () => {
  const it = startTyping({ conversations: 3 });
  for (const conversationId of it.conversations) {
    it.type(true, conversationId);
    it.type(true, conversationId);
  }
  expect(it.told).toEqual(
    it.conversations.map((conversationId) => ({ conversationId, isTyping: true })),
  );
});

test('with an interval of 0 every state goes out, and nothing is kept after a false', () => {
  const it = startTyping({ interval: 0 });
  for (const isTyping of [true, true, false, false, true]) {
    it.type(isTyping);
  }
  expect(it.states()).toEqual([true, true, false, false, true]);
  expect(vi.getTimerCount()).toBe(0);
  it.type(false);
  expect(it.socket.data.typing).toBeUndefined();
});

test('a message clears at once, and typing on is told no earlier than an interval later', () => {
  const it = startTyping();
  it.type(true);
  it.send();
  expect(it.states()).toEqual([true, false]);
  it.type(true);
  it.pass(999);
  expect(it.states()).toEqual([true, false]);
  it.pass(1);
  expect(it.states()).toEqual([true, false, true]);
  it.pass(5000);
  it.send();
  it.type(true);
  expect(it.states()).toEqual([true, false, true, false]);
  it.pass(1000);
  expect(it.states()).toEqual([true, false, true, false, true]);
});

test('a message takes back what was not told yet, and tells nothing when nothing was shown', () => {
  const it = startTyping();
  it.send();
  it.type(false);
  it.type(true);
  it.send();
  it.pass(5000);
  expect(it.states()).toEqual([false]);
});

test('leaving clears at once and ends the throttle; who was not shown leaves in silence', () => {
  const it = startTyping({ conversations: 2 });
  const [first, second] = it.conversations as [ConversationId, ConversationId];
  it.type(true, first);
  it.type(false, second);
  it.type(true, second);
  it.leave(first);
  it.leave(second);
  it.leave(second);
  it.pass(5000);
  expect(it.told).toEqual([
    { conversationId: first, isTyping: true },
    { conversationId: second, isTyping: false },
    { conversationId: first, isTyping: false },
  ]);
  expect(vi.getTimerCount()).toBe(0);
  expect(it.socket.data.typing).toBeUndefined();
});

test('past 32 conversations the first is cleared for the others', () => {
  const it = startTyping({ conversations: 34 });
  for (const conversationId of it.conversations) {
    it.type(true, conversationId);
  }
  expect(it.socket.data.typing?.size).toBe(32);
  expect(it.told.filter(({ isTyping }) => !isTyping)).toEqual(
    it.conversations.slice(0, 2).map((conversationId) => ({ conversationId, isTyping: false })),
  );
  expect(vi.getTimerCount()).toBe(32);
});

test('only what takes a true back is sent to who cannot take it at that moment', () => {
  const it = startTyping();
  it.dropped.volatile = true;
  it.type(true);
  it.send();
  expect(it.states()).toEqual([false]);
});
