import { describe, expect, test } from 'vitest';
import {
  changesIn,
  durations,
  gatewayWith,
  type NewWorld,
  PresenceWorld,
} from './presence-world.fixture.ts';

const { lease, grace } = durations;
const manyNames = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`);

/** Gateways that die or stall, and a time that stands still. */
export function leasesContract(newWorld: NewWorld): void {
  describe('leases', () => {
    test('users of a gateway that fell silent are away once, after lease and grace', async () => {
      const world = await newWorld();
      await world.settle();
      const [dead, alive] = [world.gateway('g1'), world.gateway('g2')];
      await dead.report({ came: ['anna', 'bert'] });
      await alive.report({ came: ['bert', 'carl'] });
      await world.announce();
      await world.pass(20_000);

      await dead.report();
      const lastReport = world.now;
      world.silence(dead);
      await world.pass(lease + grace - 1);
      expect(await world.announce()).toEqual([]);
      await world.pass(1);
      expect(await world.announce()).toMatchObject([
        { userId: 'anna', online: false, seenAt: lastReport, told: true },
      ]);
      expect(await world.store.size()).toEqual({ gateways: 1, pending: 0, leaving: 0 });
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
      await alive.report({ went: ['bert', 'carl'] });
      await world.pass(grace);
      expect(changesIn(await world.announce())).toEqual(['bert off', 'carl off']);
    });

    test('users who reach another gateway before grace is over make no noise', async () => {
      const world = await newWorld();
      await world.settle();
      const [dead, alive] = [world.gateway('g1'), world.gateway('g2')];
      await dead.report({ came: ['anna', 'bert', 'carl'] });
      await world.announce();
      world.silence(dead);
      await alive.report({ came: ['anna'] });
      await world.pass(lease + grace - 1);
      await alive.report({ came: ['bert'] });
      await world.pass(30_000);
      expect(changesIn(await world.announce())).toEqual(['carl off']);
    });

    test('a gateway that stalls for less than its lease changes nothing', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      world.silence(gateway);
      await world.pass(lease - 1);
      expect((await gateway.report()).buckets).toBeNull();
      world.wake(gateway);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('a gateway that returns within the grace of its users makes no noise', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert']);
      world.silence(gateway);
      await world.pass(lease + grace - 1);
      const outcome = await gateway.report();
      expect(outcome.buckets).toEqual([]);
      await gateway.heal(outcome);
      expect((await gateway.report()).buckets).toBeNull();
      world.wake(gateway);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('a gateway that returns later brings its users back, once', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      world.silence(gateway);
      await world.pass(60_000);
      expect(changesIn(await world.announce())).toEqual(['anna off']);
      await gateway.heal(await gateway.report());
      world.wake(gateway);
      await world.pass(60_000);
      expect(changesIn(await world.announce())).toEqual(['anna on']);
    });

    test('a gateway that returns while its users are being settled gets them all back', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const names = manyNames(60);
      await gateway.report({ came: names });
      await world.announce();
      world.silence(gateway);
      await world.pass(lease - 1);
      world.leap(1);
      const sweep = { aliveAt: PresenceWorld.aliveAt, limit: 25 };
      expect((await world.store.sweep(sweep)).more).toBe(true);
      expect(await world.store.size()).toMatchObject({ gateways: 1, leaving: 25 });

      const outcome = await gateway.report();
      expect(outcome.buckets).not.toBeNull();
      await gateway.heal(outcome);
      expect((await gateway.report()).buckets).toBeNull();
      expect(await world.store.size()).toMatchObject({ gateways: 1, leaving: 0 });
      world.wake(gateway);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
      await gateway.report({ went: names });
      await world.pass(grace);
      expect(await world.announce()).toHaveLength(60);
    });

    test('gateways without users are settled in small steps too', async () => {
      const world = await newWorld();
      await world.settle();
      for (let index = 0; index < 30; index += 1) {
        const gateway = world.gateway(`g${index}`);
        await gateway.report();
        world.silence(gateway);
      }
      await world.pass(lease - 1);
      world.leap(1);
      for (const left of [20, 10, 0]) {
        const { more } = await world.store.sweep({ aliveAt: PresenceWorld.aliveAt, limit: 10 });
        expect(more).toBe(left > 0);
        expect(await world.store.size()).toMatchObject({ gateways: left });
      }
    });

    test('a gateway that died with 20,000 users is settled in small steps', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const names = manyNames(20_000);
      for (let start = 0; start < names.length; start += 500) {
        await gateway.report({ came: names.slice(start, start + 500) });
      }
      for (let told = 0; told < names.length; ) {
        const claims = await world.announce();
        expect(claims.length).toBeGreaterThan(0);
        told += claims.length;
      }
      world.silence(gateway);
      await world.pass(lease - 1);
      world.leap(1);
      let left = 0;
      let steps = 0;
      for (let more = true; more; steps += 1) {
        ({ more } = await world.store.sweep({ aliveAt: PresenceWorld.aliveAt, limit: 300 }));
        const { leaving } = await world.store.size();
        expect(leaving - left).toBeLessThanOrEqual(300);
        left = leaving;
      }
      expect(left).toBe(20_000);
      expect(steps).toBeLessThan(80);

      await world.pass(grace - 1);
      world.leap(1);
      let away = 0;
      for (let more = true; more; ) {
        ({ more } = await world.store.sweep({ aliveAt: PresenceWorld.aliveAt, limit: 300 }));
        const { pending } = await world.store.size();
        expect(pending - away).toBeLessThanOrEqual(300);
        away = pending;
      }
      const told = new Set<string>();
      for (
        let claims = await world.announce();
        claims.length > 0;
        claims = await world.announce()
      ) {
        for (const { userId, online } of claims) {
          expect(online).toBe(false);
          told.add(userId);
        }
      }
      expect(told.size).toBe(20_000);
      expect(await world.harness.users()).toBe(0);
    }, 60_000);
  });

  describe('time', () => {
    test('stands still while nobody looks: leases, grace and claims live on', async () => {
      const world = await newWorld();
      await world.settle();
      const [gateway, other] = [world.gateway('g1'), world.gateway('g2')];
      await gateway.report({ came: ['anna', 'bert'] });
      await other.report({ came: ['carl'] });
      await world.announce();
      const went = world.now;
      await gateway.report({ went: ['bert'], came: ['dora'] });
      const claims = await world.store.claim(10);
      expect(changesIn(claims)).toEqual(['dora on']);
      world.silence(gateway);
      world.silence(other);

      world.leap(60_000);
      expect(await world.sweep()).toMatchObject({ more: false, pending: false });
      expect(await world.store.claim(10)).toEqual([]);
      await world.pass(grace - 1);
      expect(await world.store.claim(10)).toEqual([]);
      await world.pass(1);
      // The real times that users see do not stand still.
      expect(await world.store.claim(10)).toMatchObject([
        { userId: 'bert', online: false, seenAt: went, changedAt: went + 60_000 + grace },
        { userId: 'dora', online: true, told: null },
      ]);
      await world.pass(lease - 1);
      expect(await world.store.size()).toMatchObject({ gateways: 0, leaving: 3 });
    });

    test('passes while somebody looks at least every three seconds', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      await gateway.report({ went: ['anna'] });
      world.leap(3_000);
      await world.sweep();
      world.leap(1_999);
      await world.sweep();
      expect(await world.announce()).toEqual([]);
      world.leap(1);
      await world.sweep();
      expect(changesIn(await world.announce())).toEqual(['anna off']);
    });

    test('does not pass by mere questions', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      world.silence(gateway);
      for (let seconds = 0; seconds < 60; seconds += 1) {
        world.leap(1_000);
        await world.store.check();
        await world.store.size();
        await world.store.locate([]);
      }
      await world.sweep();
      await world.pass(lease - 1);
      expect(await world.store.size()).toMatchObject({ gateways: 1 });
      await world.pass(1);
      expect(await world.store.size()).toMatchObject({ gateways: 0 });
    });

    test.each([-3_600_000, 3_600_000])('a clock that jumps by %i ms harms nobody', async (jump) => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert']);
      await gateway.report({ went: ['bert'] });
      await world.pass(1_000);
      world.leap(jump);
      await world.sweep();
      await world.pass(grace - 1_001);
      expect(await world.announce()).toEqual([]);
      await world.pass(1);
      expect(changesIn(await world.announce())).toEqual(['bert off']);
      world.silence(gateway);
      await world.pass(lease + grace);
      expect(changesIn(await world.announce())).toEqual(['anna off']);
    });
  });
}
