import type { UserId } from '@bambochat/protocol';
import { expect, test } from 'vitest';
import { bucketOf, createRoster, type Roster, type RosterReport } from './roster.ts';

const [alice, bob] = ['alice' as UserId, 'bob' as UserId];

function named(report: RosterReport) {
  return {
    connected: report.connected.map(([userId]) => userId),
    disconnected: report.disconnected.map(([userId]) => userId),
  };
}

function report(roster: Roster) {
  const taken = roster.take();
  roster.confirm();
  return named(taken);
}

test('only the first device that comes and the last that goes are changes', () => {
  const roster = createRoster();
  roster.arrive(alice);
  roster.arrive(alice);
  expect(report(roster)).toEqual({ connected: [alice], disconnected: [] });
  roster.leave(alice);
  expect([roster.hasChanges, roster.has(alice)]).toEqual([false, true]);
  roster.leave(alice);
  roster.leave(alice);
  expect(roster.has(alice)).toBe(false);
  expect(report(roster)).toEqual({ connected: [], disconnected: [alice] });
});

test('who comes and goes, or goes and comes, between two reports is not in them', () => {
  const roster = createRoster();
  roster.arrive(alice);
  report(roster);
  roster.leave(alice);
  roster.arrive(alice);
  roster.arrive(bob);
  roster.leave(bob);
  expect(roster.hasChanges).toBe(false);
  expect(report(roster)).toEqual({ connected: [], disconnected: [] });
});

test('a departure says how long ago it was, at the moment of the report', () => {
  const clock = { now: 1000 };
  const roster = createRoster({ now: () => clock.now });
  roster.arrive(alice);
  report(roster);
  roster.leave(alice);
  clock.now += 340.4;
  expect(roster.take().disconnected.map(([, , ago]) => ago)).toEqual([340]);
  clock.now += 1000;
  roster.revert();
  expect(roster.take().disconnected.map(([, , ago]) => ago)).toEqual([1340]);
});

test('a report takes 500 users of each kind, the next one the rest', () => {
  const roster = createRoster();
  const users = Array.from({ length: 1200 }, (_, index) => `user-${index}` as UserId);
  for (const userId of users) {
    roster.arrive(userId);
  }
  const sizes = [];
  while (roster.hasChanges) {
    sizes.push(report(roster).connected.length);
  }
  expect(sizes).toEqual([500, 500, 200]);
  roster.leaveAll();
  while (roster.hasChanges) {
    sizes.push(-report(roster).disconnected.length);
  }
  expect(sizes.slice(3)).toEqual([-500, -500, -200]);
  expect(roster.take().digest).toEqual({ users: 0, sum: 0 });
});

test('a user is known when the report has arrived, not before', () => {
  const roster = createRoster();
  roster.arrive(alice);
  expect(roster.isKnown(alice)).toBe(false);
  roster.take();
  expect(roster.isKnown(alice)).toBe(false);
  expect(roster.confirm()).toEqual([alice]);
  expect(roster.isKnown(alice)).toBe(true);
  roster.leave(alice);
  expect(roster.isKnown(alice)).toBe(false);
});

test('who goes while the report is in flight is reported gone by the next', () => {
  const roster = createRoster();
  roster.arrive(alice);
  roster.take();
  roster.leave(alice);
  expect(roster.confirm()).toEqual([]);
  expect(report(roster)).toEqual({ connected: [], disconnected: [alice] });
});

test('a report that failed is said again as far as it is true, and no more', () => {
  const roster = createRoster();
  roster.arrive(alice);
  roster.arrive(bob);
  const failed = roster.take();
  roster.leave(bob);
  roster.revert();
  const second = roster.take();
  expect(named(second)).toEqual({ connected: [alice], disconnected: [] });
  expect(second.digest.users).toBe(1);
  expect(second.digest.sum).toBe(failed.connected[0]?.[1]);
});

test('who returns while the report of the departure fails is reported as come', () => {
  const roster = createRoster();
  roster.arrive(alice);
  report(roster);
  roster.leave(alice);
  roster.take();
  roster.arrive(alice);
  roster.revert();
  expect(report(roster)).toEqual({ connected: [alice], disconnected: [] });
  expect(roster.take().digest.users).toBe(1);
});

test('names the parts whose sums differ, and what they should hold', () => {
  const roster = createRoster();
  const users = Array.from({ length: 2000 }, (_, index) => `user-${index}` as UserId);
  const sums = new Map<number, number>();
  for (const userId of users) {
    roster.arrive(userId);
  }
  while (roster.hasChanges) {
    for (const [, hash] of roster.take().connected) {
      sums.set(bucketOf(hash), (sums.get(bucketOf(hash)) ?? 0) + hash);
    }
    roster.confirm();
  }
  expect(roster.differences([...sums])).toEqual([]);
  const [spoiled, emptied] = [...sums.keys()].sort((a, b) => a - b);
  if (spoiled === undefined || emptied === undefined) {
    throw new Error('2000 users have several parts');
  }
  sums.set(spoiled, (sums.get(spoiled) ?? 0) + 1);
  sums.delete(emptied);
  expect(roster.differences([...sums])).toEqual([spoiled, emptied]);
  const parts = Array.from({ length: 256 }, (_, bucket) => roster.bucket(bucket));
  expect(parts.flat()).toHaveLength(2000);
  expect(parts.every((part, bucket) => part.every(([, hash]) => bucketOf(hash) === bucket))).toBe(
    true,
  );
});
