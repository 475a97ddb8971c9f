import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { twentyAtOnce } from './directory-doors.fixture.ts';
import { newUserId, sampleStatus, userId } from './sample-records.fixture.ts';
import type { StatusStore, UserStatus } from './status-store.ts';

export interface StatusStoreHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  readonly stores: readonly [StatusStore, StatusStore];
  close(): Promise<void>;
}

/** What every status store must do. `open` gives one that is empty; tests use new users each. */
export function statusStoreContract(name: string, open: () => Promise<StatusStoreHarness>): void {
  describe(`status store: ${name}`, () => {
    let harness: StatusStoreHarness;
    let store: StatusStore;
    let other: StatusStore;

    beforeAll(async () => {
      harness = await open();
      [store, other] = harness.stores;
    });
    afterAll(() => harness?.close());

    const mapOf = (...statuses: UserStatus[]) =>
      new Map(statuses.map((status) => [status.userId, status]));

    describe('statuses', () => {
      test('are found as they were recorded, without the unknown', async () => {
        const online = sampleStatus();
        const offline = sampleStatus({ online: false, lastSeenAt: '2026-12-31T23:59:59.999Z' });
        await store.record([online, offline]);
        const found = await other.statusesOf([offline.userId, newUserId(), online.userId]);
        expect(found).toEqual(mapOf(online, offline));
        expect(await store.statusesOf([])).toEqual(new Map());
        await expect(store.record([])).resolves.toBeUndefined();
      });

      test('follow the newest change, never an older one nor the same again', async () => {
        const id = newUserId();
        const status = sampleStatus({ userId: id, changedAt: 1000 });
        await store.record([status]);
        const older = { ...status, online: false, changedAt: 999 };
        const same = { ...status, online: false, lastSeenAt: '2026-04-01T00:00:00.000Z' };
        for (const late of [older, same]) {
          await other.record([late]);
          expect(await store.statusesOf([id])).toEqual(mapOf(status));
        }
        const newer = { ...same, changedAt: 1001, lastSeenAt: '2026-02-01T00:00:00.000Z' };
        await other.record([newer]);
        expect(await store.statusesOf([id])).toEqual(mapOf(newer));
        await store.record([status]);
        expect(await store.statusesOf([id])).toEqual(mapOf(newer));
      });

      test('are recorded each by itself: an old one among them spoils no other', async () => {
        const [a, b, c] = [sampleStatus(), sampleStatus(), sampleStatus()];
        await store.record([a, b]);
        const [stale, newer] = [
          { ...a, online: false, changedAt: a.changedAt - 1 },
          { ...b, online: false, changedAt: b.changedAt + 1 },
        ];
        await store.record([stale, newer, c]);
        expect(await other.statusesOf([a, b, c].map((status) => status.userId))).toEqual(
          mapOf(a, newer, c),
        );
      });

      test('of a first change that twenty record at once, the newest stays', async () => {
        for (let round = 0; round < 5; round += 1) {
          const id = newUserId();
          const at = (index: number) => {
            const changedAt = 1000 + ((index * 7) % 20);
            return sampleStatus({ userId: id, changedAt, online: changedAt % 2 === 0 });
          };
          await twentyAtOnce(harness.stores, (door, index) => door.record([at(index)]));
          const newest = sampleStatus({ userId: id, changedAt: 1019, online: false });
          expect(await store.statusesOf([id])).toEqual(mapOf(newest));
        }
      });

      test('of five hundred users are recorded, and of a thousand asked for, at once', async () => {
        const statuses = Array.from({ length: 1000 }, (_, index) =>
          sampleStatus({ online: false, changedAt: index }),
        );
        await store.record(statuses.slice(0, 500));
        await store.record(statuses.slice(500));
        const found = await other.statusesOf(statuses.map((status) => status.userId));
        expect(found).toEqual(mapOf(...statuses));
      });
    });

    describe('onlineUsers', () => {
      test('pages through those who are online, by id', async () => {
        // Behind the users of all other tests.
        const root = newUserId('zz');
        const ids = ['Z', '_', 'a', 'aa', 'b', '-', '0'].map((end) => userId(`${root}${end}`));
        const sorted = ids.toSorted();
        const everybody = ids.map((id) => sampleStatus({ userId: id, changedAt: 1 }));
        await store.record(everybody);
        expect(await other.onlineUsers(root, 1000)).toEqual(sorted);
        expect((await other.onlineUsers(null, 1000)).slice(-7)).toEqual(sorted);
        expect(await other.onlineUsers(root, 3)).toEqual(sorted.slice(0, 3));
        const [, , third, , , , last] = sorted;
        expect(await other.onlineUsers(third ?? null, 2)).toEqual(sorted.slice(3, 5));
        expect(await other.onlineUsers(last ?? null, 10)).toEqual([]);
        expect(await other.onlineUsers(null, 0)).toEqual([]);
        expect(await other.onlineUsers(null, -1)).toEqual([]);

        const gone = everybody
          .slice(0, 3)
          .map((status) => ({ ...status, online: false, changedAt: 2 }));
        await store.record(gone);
        const left = new Set(gone.map((status) => status.userId));
        expect(await store.onlineUsers(root, 1000)).toEqual(sorted.filter((id) => !left.has(id)));
        await store.record(gone.map((status) => ({ ...status, online: true, changedAt: 3 })));
        expect(await store.onlineUsers(root, 1000)).toEqual(sorted);
      });
    });

    test('the last moment alive moves forward, never back', async () => {
      expect(await store.lastAlive()).toBeNull();
      const at = (second: number) => `2026-03-01T12:00:${String(second).padStart(2, '0')}.000Z`;
      await twentyAtOnce(harness.stores, (door, index) => door.recordAlive(at((index * 7) % 20)));
      expect(await other.lastAlive()).toBe(at(19));
      await store.recordAlive(at(5));
      expect(await other.lastAlive()).toBe(at(19));
      await other.recordAlive('2026-03-01T12:00:19.001Z');
      expect(await store.lastAlive()).toBe('2026-03-01T12:00:19.001Z');
    });

    test('check resolves while the engine answers', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
