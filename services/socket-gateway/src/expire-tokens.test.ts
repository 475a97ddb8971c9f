import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChatSocket } from './chat-socket.ts';
import { createTokenExpiry, type TokenExpiry } from './expire-tokens.ts';

const expired: string[] = [];
let expiry: TokenExpiry;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000 });
  expired.length = 0;
  expiry = createTokenExpiry({ expire: (socket) => expired.push(socket.id) });
});
afterEach(() => {
  expiry.stop();
  vi.useRealTimers();
});

function socketWith(id: string, seconds: number): ChatSocket {
  return { id, data: { expiresAt: Date.now() + seconds * 1000 } } as ChatSocket;
}

test('each socket ends within a second of its token, in whatever order they came', () => {
  for (const [id, seconds] of [
    ['late', 900],
    ['early', 5],
    ['middle', 60.5],
    ['as early', 5],
  ] as const) {
    expiry.watch(socketWith(id, seconds));
  }
  vi.advanceTimersByTime(4999);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1001);
  expect(expired).toEqual(['early', 'as early']);
  vi.advanceTimersByTime(54_500);
  expect(expired).toEqual(['early', 'as early']);
  vi.advanceTimersByTime(1500);
  expect(expired).toEqual(['early', 'as early', 'middle']);
  vi.advanceTimersByTime(840_000);
  expect(expired).toEqual(['early', 'as early', 'middle', 'late']);
});

test('who has a newer token, or is gone, is left alone', () => {
  const [renewed, gone] = [socketWith('renewed', 5), socketWith('gone', 5)];
  expiry.watch(renewed);
  expiry.watch(gone);
  renewed.data.expiresAt += 10_000;
  expiry.watch(renewed);
  expiry.forget(gone);
  vi.advanceTimersByTime(14_000);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(2000);
  expect(expired).toEqual(['renewed']);
});

test('a clock that is set forward is noticed, and nobody is woken up for nothing', () => {
  expect(vi.getTimerCount()).toBe(0);
  expiry.watch(socketWith('one', 900));
  expect(vi.getTimerCount()).toBe(1);
  vi.setSystemTime(Date.now() + 900_000);
  vi.advanceTimersByTime(10_000);
  expect(expired).toEqual(['one']);
  expect(vi.getTimerCount()).toBe(0);
});
