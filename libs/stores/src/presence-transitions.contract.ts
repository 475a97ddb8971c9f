import { describe, expect, test } from 'vitest';
import {
  changesIn,
  durations,
  gatewayWith,
  type NewWorld,
  PresenceWorld,
  userId,
} from './presence-world.fixture.ts';

/** Who is here, and when that changes. */
export function transitionsContract(newWorld: NewWorld): void {
  describe('here and away', () => {
    test('a user is here from the first device on and away when grace is over', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');

      const came = world.now;
      expect(await gateway.report({ came: ['anna'] })).toEqual({
        stale: false,
        changed: true,
        buckets: null,
        settled: true,
      });
      expect(await world.announce()).toEqual([
        {
          userId: 'anna',
          online: true,
          seenAt: came,
          changedAt: came,
          told: false,
          token: expect.any(Number),
        },
      ]);

      await world.pass(60_000);
      const went = world.now;
      expect((await gateway.report({ went: ['anna'] })).changed).toBe(true);
      await world.pass(durations.grace - 1);
      expect(await world.announce()).toEqual([]);
      await world.pass(1);
      expect(await world.announce()).toEqual([
        {
          userId: 'anna',
          online: false,
          seenAt: went,
          changedAt: went + durations.grace,
          told: true,
          token: expect.any(Number),
        },
      ]);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('a user is here while any gateway has them', async () => {
      const world = await newWorld();
      await world.settle();
      const [one, other] = [world.gateway('g1'), world.gateway('g2')];
      await one.report({ came: ['anna'] });
      expect((await other.report({ came: ['anna'] })).changed).toBe(false);
      expect(changesIn(await world.announce())).toEqual(['anna on']);

      expect((await one.report({ went: ['anna'] })).changed).toBe(false);
      await world.pass(30_000);
      expect(await world.announce()).toEqual([]);

      await other.report({ went: ['anna'] });
      await world.pass(durations.grace);
      expect(changesIn(await world.announce())).toEqual(['anna off']);
    });

    test.each(['g1', 'g2'])('a return within grace, from g1 to %s, is silent', async (to) => {
      const world = await newWorld();
      await world.settle();
      const gateways = { g1: world.gateway('g1'), g2: world.gateway('g2') };
      await gateways.g1.report({ came: ['anna'] });
      await world.announce();

      await gateways.g1.report({ went: ['anna'] });
      await world.pass(durations.grace - 1);
      expect((await gateways[to as 'g1' | 'g2'].report({ came: ['anna'] })).changed).toBe(false);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('a user who goes again after a return gets the whole grace', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      await gateway.report({ went: ['anna'] });
      await world.pass(4_000);
      await gateway.report({ came: ['anna'] });
      await gateway.report({ went: ['anna'] });
      const went = world.now;
      await world.pass(4_999);
      expect(await world.announce()).toEqual([]);
      await world.pass(1);
      expect(await world.announce()).toMatchObject([{ online: false, seenAt: went }]);
    });

    test('a user who went and came in one report stays', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      await gateway.report({ went: ['anna'], came: ['anna'] });
      await world.pass(30_000);
      expect(await world.announce()).toEqual([]);
      expect(await world.store.size()).toEqual({ gateways: 1, pending: 0, leaving: 0 });
    });

    test('who went before the report did is last seen then, and grace counts from then', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert']);
      await world.pass(30_000);

      const reported = world.now;
      await gateway.report({
        went: [
          ['anna', 2_000],
          ['bert', 20_000],
        ],
      });
      await world.sweep();
      expect(await world.announce()).toMatchObject([
        { userId: 'bert', online: false, seenAt: reported - 20_000, changedAt: reported },
      ]);
      await world.pass(2_999);
      expect(await world.announce()).toEqual([]);
      await world.pass(1);
      expect(await world.announce()).toMatchObject([
        { userId: 'anna', online: false, seenAt: reported - 2_000, changedAt: reported + 3_000 },
      ]);
    });

    test('last seen is the latest moment on any gateway, and never before the arrival', async () => {
      const world = await newWorld();
      await world.settle();
      const [one, other] = [world.gateway('g1'), world.gateway('g2')];
      const came = world.now;
      await one.report({ came: ['anna', 'bert'] });
      await other.report({ came: ['anna'] });
      await world.announce();
      await world.pass(10_000);
      const reported = world.now;
      await one.report({
        went: [
          ['anna', 1_000],
          ['bert', 999_999],
        ],
      });
      await other.report({ went: [['anna', 4_000]] });
      await world.pass(durations.grace);
      const claims = await world.announce();
      const seen = new Map(claims.map(({ userId: id, seenAt }) => [id, seenAt]));
      expect(seen).toEqual(
        new Map([
          [userId('anna'), reported - 1_000],
          [userId('bert'), came],
        ]),
      );
    });

    test('a report that was long on its way is corrected when the gateway says it again', async () => {
      const world = await newWorld();
      await world.settle();
      const [one, other] = [world.gateway('g1'), world.gateway('g2')];
      await one.report({ came: ['anna', 'bert', 'carl', 'dora'] });
      await other.report({ came: ['bert'] });
      await world.announce();
      await world.pass(60_000);

      const arrived = world.now;
      await other.report({ went: [['bert', 10_000]] });
      await one.report({ went: ['anna', 'bert', 'carl', 'dora'] });
      await one.report({
        went: [
          ['anna', 20_000],
          ['bert', 20_000],
          ['carl', 999_999],
        ],
      });
      // What is not earlier is no news, nor what a gateway says of whom it did not have last.
      await world.pass(1_000);
      expect((await one.report({ went: ['anna', 'dora'] })).changed).toBe(false);
      await other.report({ went: [['dora', 20_000]] });
      await world.pass(durations.grace - 1_000);
      const claims = await world.announce();
      const seen = claims.map(({ userId: id, seenAt }) => [id, arrived - seenAt]);
      expect(Object.fromEntries(seen)).toEqual({
        anna: 20_000,
        bert: 10_000,
        carl: 60_000,
        dora: 0,
      });
    });

    test('a correction that comes after the user has come back is none', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna']);
      await world.pass(60_000);
      await gateway.report({ went: ['anna'] });
      await world.pass(1_000);
      await gateway.report({ came: ['anna'] });
      await world.pass(1_000);
      const went = world.now;
      await gateway.report({ went: ['anna'] });
      await gateway.report({ went: [['anna', 30_000]] });
      await world.pass(durations.grace);
      // The absence in between was too short to be one, but it was seen to begin.
      expect(await world.announce()).toMatchObject([{ online: false, seenAt: went - 2_000 }]);
    });

    test('changedAt rises with each change, also when the clock was turned back', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const heard: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        await gateway.report({ came: ['anna'] });
        heard.push(...(await world.announce()).map(({ changedAt }) => changedAt));
        world.leap(-3_600_000);
        await gateway.report({ went: ['anna'] });
        await world.pass(durations.grace);
        heard.push(...(await world.announce()).map(({ changedAt }) => changedAt));
        expect(await world.harness.users()).toBe(0);
      }
      expect(heard).toHaveLength(6);
      expect(heard).toEqual([...new Set(heard)].sort((one, other) => one - other));
      expect(Math.min(...heard)).toBeGreaterThan(PresenceWorld.begin);
    });

    test('says on which gateways users are', async () => {
      const world = await newWorld();
      await world.settle();
      const [one, other] = [world.gateway('g1'), world.gateway('g2')];
      await one.report({ came: ['anna', 'bert', 'carl'] });
      await other.report({ came: ['bert', 'dora'] });
      await one.report({ went: ['carl'] });
      const located = await world.store.locate(['anna', 'bert', 'carl', 'eric'].map(userId));
      expect(located).toEqual(
        new Map([
          ['g1', ['anna', 'bert']],
          ['g2', ['bert']],
        ]),
      );
      expect(await world.store.locate([])).toEqual(new Map());
    });

    test('keeps nothing of users who went, nor of gateways that fell silent', async () => {
      const world = await newWorld();
      await world.settle();
      const gateways = [world.gateway('g1'), world.gateway('g2')];
      const names = Array.from({ length: 50 }, (_, index) => `user-${index}`);
      for (const gateway of gateways) {
        await gateway.report({ came: names });
      }
      expect(await world.announce()).toHaveLength(50);
      expect(await world.harness.users()).toBe(50);
      for (const gateway of gateways) {
        await gateway.report({ went: names });
        world.silence(gateway);
      }
      await world.pass(durations.lease + durations.grace);
      expect(await world.announce()).toHaveLength(50);
      expect(await world.harness.users()).toBe(0);
      expect(await world.store.size()).toEqual({ gateways: 0, pending: 0, leaving: 0 });
    });

    test('check resolves while the engine answers', async () => {
      const world = await newWorld();
      await world.sweep();
      await expect(world.store.check()).resolves.toBeUndefined();
    });
  });
}
