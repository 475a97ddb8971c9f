import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settlesWithin } from './settles-within.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('work that succeeds or fails in time has settled, and no timer stays behind', async () => {
  expect(await settlesWithin(Promise.resolve(), 1000)).toBe(true);
  expect(await settlesWithin(Promise.reject(new Error('failed')), 1000)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('work that takes longer is given up, and its later failure troubles nobody', async () => {
  const work = Promise.withResolvers<void>();
  const settles = settlesWithin(work.promise, 1000);
  await vi.advanceTimersByTimeAsync(999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await settles).toBe(false);
  // Vitest fails the run on a rejection that nobody handles.
  work.reject(new Error('too late'));
  await vi.advanceTimersByTimeAsync(0);
});
