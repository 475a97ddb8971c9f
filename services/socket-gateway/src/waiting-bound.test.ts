import { describe, expect, test } from 'vitest';
import { createWaitingBound } from './waiting-bound.ts';

/** A bound, and what waits behind it, in a time of its own. */
function waitingRoom(options: { max?: number; wait?: number } = {}) {
  let now = 1_000_000;
  /** When each of them came. */
  const queue: number[] = [];
  let refused = 0;
  const bound = createWaitingBound({
    max: 10_000,
    wait: 1000,
    ...options,
    now: () => now,
  });
  return {
    get waiting() {
      return queue.length;
    },
    /** So many come and so many are answered each millisecond; gives how many were refused. */
    pass(milliseconds: number, { come = 0, go = 0 }: { come?: number; go?: number }): number {
      refused = 0;
      for (let passed = 0; passed < milliseconds; passed += 1) {
        now += 1;
        for (let one = 0; one < come; one += 1) {
          if (bound.admits(queue.length)) {
            queue.push(now);
          } else {
            refused += 1;
          }
        }
        for (let one = 0; one < go && queue.length > 0; one += 1) {
          queue.shift();
          bound.answered(queue.length);
        }
      }
      return refused;
    },
  };
}

describe('what may wait for its confirmation', () => {
  test('with more coming than going nobody waits longer than was said, and all is well after it', () => {
    const room = waitingRoom();
    expect(room.pass(2000, { come: 2, go: 3 })).toBe(0);
    expect(room.pass(5000, { come: 20, go: 3 })).toBeGreaterThan(50_000);
    // 3000 a second go: a second of waiting.
    expect(room.waiting).toBeLessThanOrEqual(3005);
    expect(room.waiting).toBeGreaterThan(2500);
    room.pass(3000, { come: 1, go: 3 });
    expect(room.waiting).toBe(0);
    expect(room.pass(2000, { come: 2, go: 3 })).toBe(0);
  });

  test('a shorter wait is a shorter queue', () => {
    const room = waitingRoom({ wait: 500 });
    room.pass(5000, { come: 20, go: 4 });
    expect(room.waiting).toBeLessThanOrEqual(2005);
  });

  test('the bound does not follow down what goes', () => {
    const room = waitingRoom();
    room.pass(5000, { come: 20, go: 3 });
    // Some seconds in which less can be done than before, and more comes than ever.
    for (let tenth = 0; tenth < 100; tenth += 1) {
      room.pass(99, { come: 40 });
      room.pass(1, { come: 40, go: 50 });
    }
    expect(room.waiting).toBeGreaterThan(2900);
    expect(room.waiting).toBeLessThanOrEqual(3300);
  });

  test('a store that answers late is no overload', () => {
    const room = waitingRoom();
    for (let second = 0; second < 10; second += 1) {
      expect(room.pass(1, { come: 300, go: second > 1 ? 300 : 0 })).toBe(0);
      expect(room.pass(999, {})).toBe(0);
    }
    expect(room.waiting).toBe(600);
  });

  test('a burst is no overload', () => {
    const room = waitingRoom();
    expect(room.pass(2000, { come: 1, go: 1 })).toBe(0);
    expect(room.pass(1, { come: 900 })).toBe(0);
    expect(room.pass(600, { come: 1, go: 3 })).toBe(0);
    expect(room.waiting).toBe(0);
  });

  test('while nothing is answered it keeps as much as would have been answered', () => {
    const room = waitingRoom({ max: 100_000 });
    room.pass(10_000, { come: 1, go: 1 });
    expect(room.pass(60_000, { come: 1 })).toBe(0);
    expect(room.waiting).toBe(60_000);
    // Ten times as much is overload, with or without a store.
    expect(room.pass(2000, { come: 10 })).toBeGreaterThan(15_000);
  });

  test('and never more than the bound', () => {
    const room = waitingRoom({ max: 500 });
    room.pass(10_000, { come: 1, go: 1 });
    expect(room.pass(1000, { come: 1 })).toBe(500);
  });

  test('after an outage nobody is refused because of those who waited', () => {
    const room = waitingRoom();
    room.pass(10_000, { come: 1, go: 1 });
    expect(room.pass(5000, { come: 1 })).toBe(0);
    expect(room.pass(6000, { come: 1, go: 2 })).toBe(0);
    expect(room.waiting).toBe(0);
  });

  test('a stall under overload lets nobody wait for much longer than it lasted', () => {
    const room = waitingRoom();
    room.pass(10_000, { come: 3, go: 1 });
    for (let stall = 0; stall < 5; stall += 1) {
      room.pass(3000, { come: 3 });
      room.pass(1000, { come: 3, go: 1 });
    }
    // At 1000 a second.
    expect(room.waiting).toBeLessThan(5000);
  });

  test('a small bound holds', () => {
    const room = waitingRoom({ max: 5 });
    expect(room.pass(1, { come: 7 })).toBe(2);
  });
});
