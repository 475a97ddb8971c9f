import type { UserId } from '@bambochat/protocol';
import { expect, test } from 'vitest';
import { createRateLimits, type RateKind } from './rate-limits.ts';

const [alice, bob] = ['alice' as UserId, 'bob' as UserId];

function limitsOf(options: { maxUsers?: number } = {}) {
  const clock = { now: 0 };
  const rate = { rate: 2, burst: 4 };
  const limits = createRateLimits({
    rates: { connect: rate, message: rate, typing: rate, request: rate },
    maxUsers: options.maxUsers ?? 10,
    now: () => clock.now,
  });
  const takeAll = (userId: UserId, kind: RateKind) => {
    let taken = 0;
    while (limits.take(userId, kind)) {
      taken += 1;
    }
    return taken;
  };
  return { limits, clock, takeAll };
}

test('a burst is let through, then the rate, and never more than the burst', () => {
  const { clock, takeAll } = limitsOf();
  expect(takeAll(alice, 'message')).toBe(4);
  clock.now = 500;
  expect(takeAll(alice, 'message')).toBe(1);
  clock.now = 1500;
  expect(takeAll(alice, 'message')).toBe(2);
  clock.now = 1_000_000;
  expect(takeAll(alice, 'message')).toBe(4);
});

test('kinds and users have buckets of their own', () => {
  const { takeAll } = limitsOf();
  expect(takeAll(alice, 'message')).toBe(4);
  expect(takeAll(alice, 'typing')).toBe(4);
  expect(takeAll(bob, 'message')).toBe(4);
});

test('remembers no more users than it may', () => {
  const { takeAll } = limitsOf({ maxUsers: 2 });
  expect(takeAll(alice, 'message')).toBe(4);
  for (let count = 0; count < 2; count += 1) {
    takeAll(`user-${count}` as UserId, 'message');
  }
  expect(takeAll(alice, 'message')).toBe(4);
});
