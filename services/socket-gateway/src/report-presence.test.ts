import { createMemoryEventBus } from '@bambochat/messaging/memory';
import type { GatewayId, UserId } from '@bambochat/protocol';
import { createLogger, createMetrics } from '@bambochat/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { playPresence } from './presence-fixture.ts';
import { type Confirmation, reportPresence } from './report-presence.ts';
import { createRoster } from './roster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function startReports(options: { away?: boolean } = {}) {
  const bus = createMemoryEventBus();
  const presence = playPresence(bus);
  if (options.away === true) {
    presence.goAway();
  }
  const roster = createRoster();
  const confirmed: Confirmation[] = [];
  const reports = reportPresence({
    bus,
    gatewayId: 'gateway-1' as GatewayId,
    roster,
    onConfirmed: (confirmation) => confirmed.push(confirmation),
    metrics: createGatewayMetrics(createMetrics({ processMetrics: false })),
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  return {
    presence,
    roster,
    confirmed,
    reports,
    arrive(...users: string[]) {
      for (const userId of users) {
        roster.arrive(userId as UserId);
        reports.changed();
      }
    },
    leave(...users: string[]) {
      for (const userId of users) {
        roster.leave(userId as UserId);
        reports.changed();
      }
    },
    /** Everything that needs no time happens. */
    settle: () => vi.advanceTimersByTimeAsync(0),
    [Symbol.dispose]: () => reports.stop(),
  };
}

test('a burst of 1,000 connects makes a few reports of at most 500 users', async () => {
  using it = startReports();
  await it.settle();
  it.arrive(...Array.from({ length: 1000 }, (_, index) => `user-${index}`));
  await it.settle();
  const sizes = it.presence.reports.map(({ connected }) => connected.length);
  expect(sizes).toEqual([0, 1, 500, 499]);
  expect(it.presence.users.size).toBe(1000);
});

test('a further device makes no report, nor does one of several that goes', async () => {
  using it = startReports();
  it.arrive('alice');
  await it.settle();
  const before = it.presence.reports.length;
  it.arrive('alice');
  it.leave('alice');
  await it.settle();
  expect(it.presence.reports).toHaveLength(before);
});

test('heartbeats come at the interval of the answer and carry nothing', async () => {
  using it = startReports();
  it.presence.script.nextReportIn = 5000;
  it.arrive('alice');
  await it.settle();
  const before = it.presence.reports.length;
  await vi.advanceTimersByTimeAsync(4999);
  expect(it.presence.reports).toHaveLength(before);
  await vi.advanceTimersByTimeAsync(10_001);
  const heartbeats = it.presence.reports.slice(before);
  expect(heartbeats).toHaveLength(3);
  for (const heartbeat of heartbeats) {
    expect(heartbeat).toMatchObject({ connected: [], disconnected: [], digest: { users: 1 } });
    expect(heartbeat).not.toHaveProperty('replaced');
  }
});

test('one report is in flight at a time, what changes meanwhile goes with the next', async () => {
  using it = startReports();
  await it.settle();
  const blocked = Promise.withResolvers<void>();
  it.presence.script.beforeReport = () => blocked.promise;
  it.arrive('alice');
  await it.settle();
  it.arrive('bob', 'carol');
  it.leave('bob');
  await vi.advanceTimersByTimeAsync(500);
  expect(it.presence.reports).toHaveLength(2);
  blocked.resolve();
  await it.settle();
  expect(it.presence.told('connected')).toEqual(['alice', 'carol']);
  expect(it.confirmed.flatMap(({ known }) => known)).toEqual(['alice', 'carol']);
});

test('a failed report is made again soon, then once in about a second, under higher numbers', async () => {
  using it = startReports();
  await it.settle();
  it.presence.script.beforeReport = () => Promise.reject(new Error('broken'));
  it.arrive('alice');
  await it.settle();
  // Changes do not hurry it.
  it.arrive('bob');
  await it.settle();
  expect(it.presence.reports).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(it.presence.reports.length).toBeGreaterThan(2);
  await vi.advanceTimersByTimeAsync(4000);
  const soon = it.presence.reports.length;
  expect(soon).toBeGreaterThan(10);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(it.presence.reports.length).toBeGreaterThan(soon + 39);
  expect(it.presence.reports.length).toBeLessThan(soon + 81);
  expect(it.confirmed).toHaveLength(1);
  it.presence.script.beforeReport = async () => {};
  await vi.advanceTimersByTimeAsync(1500);
  expect([...it.presence.users.keys()]).toEqual(['alice', 'bob']);
  const numbers = it.presence.reports.map(({ number }) => number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('when any replica might be the one that hangs, the one that answered last is asked by name', async () => {
  using it = startReports();
  it.presence.script.nextReportIn = 5000;
  await it.settle();
  it.presence.hangForAny();
  it.arrive('alice');
  await vi.advanceTimersByTimeAsync(1000);
  expect([...it.presence.users.keys()]).toEqual(['alice']);
});

test('a replica that hangs is not waited for while another one may answer', async () => {
  using it = startReports();
  it.presence.script.nextReportIn = 5000;
  await it.settle();
  let hung = 0;
  it.presence.script.beforeReport = async () => {
    hung += 1;
    await new Promise<never>(() => {});
  };
  await vi.advanceTimersByTimeAsync(5000);
  expect(hung).toBe(1);
  // A lease lives for another two intervals.
  await vi.advanceTimersByTimeAsync(10_000);
  expect(hung).toBeGreaterThan(10);
});

test('a report whose answer was lost is repeated, which changes nothing', async () => {
  using it = startReports();
  await it.settle();
  it.presence.script.afterReport = () => Promise.reject(new Error('the answer is lost'));
  it.arrive('alice');
  await it.settle();
  expect(it.presence.users.size).toBe(1);
  it.presence.script.afterReport = async () => {};
  await vi.advanceTimersByTimeAsync(1300);
  expect(it.presence.told('connected')).toEqual(['alice', 'alice']);
  expect(it.confirmed.at(-1)).toEqual({ known: ['alice'], lost: [] });
  expect(it.presence.reports.every(({ replaced }) => replaced === undefined)).toBe(true);
});

test('a user who came and went while presence was away is never reported', async () => {
  using it = startReports({ away: true });
  it.arrive('alice', 'bob');
  await vi.advanceTimersByTimeAsync(5000);
  it.leave('alice');
  await vi.advanceTimersByTimeAsync(5000);
  it.presence.comeBack();
  await vi.advanceTimersByTimeAsync(1300);
  expect(it.presence.reports.map(({ number }) => number)[0]).toBeGreaterThan(5);
  expect(it.presence.told('connected')).toEqual(['bob']);
  expect(it.presence.told('disconnected')).toEqual([]);
});

test('parts that differ are replaced one by one, the others are left alone', async () => {
  using it = startReports();
  const users = Array.from({ length: 300 }, (_, index) => `user-${index}`);
  it.arrive(...users);
  await it.settle();
  const before = it.presence.reports.length;
  const [lost] = users as [string];
  const lostBucket = (it.presence.users.get(lost) ?? 0) % 256;
  const ghostBucket = (lostBucket + 1) % 256;
  it.presence.users.delete(lost);
  it.presence.users.set('ghost', ghostBucket + 256);
  await vi.advanceTimersByTimeAsync(60_000);
  const replaced = it.presence.reports.slice(before).map((report) => report.replaced?.bucket);
  expect(replaced.toSorted()).toEqual([undefined, lostBucket, ghostBucket].toSorted());
  expect([...it.presence.users.keys()].toSorted()).toEqual(users.toSorted());
  const lostUsers = it.confirmed.flatMap((confirmation) => confirmation.lost);
  expect(lostUsers).toContain(lost);
  expect(lostUsers.length).toBeLessThan(30);
});

test('a roster that presence-service has lost altogether is told again', async () => {
  using it = startReports();
  const users = Array.from({ length: 700 }, (_, index) => `user-${index}`);
  it.arrive(...users);
  await it.settle();
  const before = it.presence.reports.length;
  it.presence.users.clear();
  it.presence.script.settled = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(it.presence.users.size).toBe(700);
  expect(it.presence.reports.length - before).toBeLessThanOrEqual(257);
  // Nothing was announced while it was not settled, so nobody missed anything.
  expect(it.confirmed.flatMap(({ lost }) => lost)).toEqual([]);
});

test('repairs wait until all departures are told, and bring nobody back who has gone', async () => {
  using it = startReports();
  const users = Array.from({ length: 1600 }, (_, index) => `user-${index}`);
  it.arrive(...users);
  await it.settle();
  const before = it.presence.reports.length;
  it.presence.users.clear();
  it.leave(...users.slice(0, 1500));
  await it.settle();
  const repairs = it.presence.reports.slice(before);
  const sizes = repairs.map(({ disconnected }) => disconnected.length).filter((size) => size > 0);
  expect(sizes).toEqual([1, 500, 500, 499]);
  const whileRepairing = repairs.filter(({ replaced }) => replaced !== undefined);
  expect(whileRepairing.every(({ digest }) => digest.users === 100)).toBe(true);
  const restored = repairs.flatMap(({ replaced }) => replaced?.users.map(([id]) => id) ?? []);
  expect(restored.toSorted()).toEqual(users.slice(1500).toSorted());
});

test('a part that differs even after it was replaced waits for the next heartbeat', async () => {
  using it = startReports();
  it.presence.script.nextReportIn = 5000;
  it.arrive('alice');
  await it.settle();
  const before = it.presence.reports.length;
  it.presence.script.afterReport = async () => {
    it.presence.users.clear();
  };
  await vi.advanceTimersByTimeAsync(20_000);
  expect(it.presence.reports.length - before).toBe(8);
  expect(it.presence.reports.at(-1)?.replaced?.users.map(([userId]) => userId)).toEqual(['alice']);
});

test('a drain reports the departures before it ends, however many reports it takes', async () => {
  using it = startReports();
  it.arrive(...Array.from({ length: 1200 }, (_, index) => `user-${index}`));
  await it.settle();
  it.roster.leaveAll();
  await it.reports.drain(2000);
  expect(it.presence.users.size).toBe(0);
  expect(it.presence.told('disconnected')).toHaveLength(1200);
  const last = it.presence.reports.length;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(it.presence.reports).toHaveLength(last);
});

test('a drain does not wait for a presence-service that is away beyond its time', async () => {
  using it = startReports();
  it.arrive('alice');
  await it.settle();
  it.presence.goAway();
  it.roster.leaveAll();
  let drained = false;
  const draining = it.reports.drain(2000).then(() => {
    drained = true;
  });
  await vi.advanceTimersByTimeAsync(1999);
  expect(drained).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await draining;
  expect(drained).toBe(true);
});
