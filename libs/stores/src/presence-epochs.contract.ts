import { describe, expect, test } from 'vitest';
import {
  changesIn,
  durations,
  gatewayWith,
  type NewWorld,
  PresenceWorld,
  userId,
} from './presence-world.fixture.ts';

const { warmUp, grace, claim } = durations;
const unavailable = { code: 'UNAVAILABLE' };

/** A store that is empty, or was emptied, and what it takes until it knows everything again. */
export function epochsContract(newWorld: NewWorld): void {
  describe('epochs', () => {
    test('an empty store refuses everything until it is swept', async () => {
      const world = await newWorld();
      const gateway = world.gateway('g1');
      const { store } = world;
      const outcomes = await Promise.allSettled([
        gateway.report({ came: ['anna'] }),
        store.claim(10),
        store.commit([]),
        store.release([], 0),
        store.locate([]),
        store.declareLost([]),
        store.settle(),
        store.size(),
        store.check(),
      ]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
      }
      expect(await world.sweep()).toEqual({
        more: false,
        pending: false,
        recover: false,
        settled: false,
      });
      expect(await gateway.report()).toMatchObject({ stale: false, buckets: [], settled: false });
      expect(await store.size()).toEqual({ gateways: 1, pending: 0, leaving: 0 });
    });

    test('nobody becomes away before the warm-up is over', async () => {
      const world = await newWorld();
      await world.sweep();
      const gateway = world.gateway('g1');
      await gateway.report({ came: ['anna', 'bert'] });
      await world.announce();
      await gateway.report({ went: ['anna'] });
      const went = world.now;
      await world.pass(warmUp - 1);
      expect(await world.announce()).toEqual([]);
      await gateway.report({ went: ['bert'] });
      await world.pass(1);
      expect(await world.announce()).toMatchObject([
        { userId: 'anna', online: false, seenAt: went },
      ]);
      await world.pass(grace - 1);
      expect(changesIn(await world.announce())).toEqual(['bert off']);
    });

    test('until it is settled, only the status store knows what was told', async () => {
      const world = await newWorld();
      await world.sweep();
      const gateway = world.gateway('g1');
      await gateway.report({ came: ['anna', 'bert'] });
      const claims = await world.store.claim(1);
      expect(claims).toMatchObject([{ userId: 'anna', online: true, told: 'unknown' }]);
      expect(await world.store.locate([userId('anna')])).toBeNull();
      // What a claim of this epoch has told is known.
      await world.store.commit(claims);
      await gateway.report({ went: ['anna'] });
      await world.pass(warmUp);
      await world.store.settle();
      // A visitor who came before it was settled stays unknown until told.
      await gateway.report({ came: ['carl'] });
      expect(await world.announce()).toMatchObject([
        { userId: 'bert', online: true, told: 'unknown' },
        { userId: 'anna', online: false, told: true },
        { userId: 'carl', online: true, told: false },
      ]);
      expect(await world.store.locate([userId('bert')])).toEqual(new Map([['g1', ['bert']]]));
    });

    test('after the warm-up one caller is to recover, and another if that one dies', async () => {
      const world = await newWorld();
      await world.sweep();
      await world.pass(warmUp - 1);
      const sweepMany = async () => {
        const sweep = { aliveAt: PresenceWorld.aliveAt, limit: 10 };
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, () => world.store.sweep(sweep)),
        );
        return outcomes.filter(({ recover }) => recover).length;
      };
      expect(await sweepMany()).toBe(0);
      world.leap(1);
      expect(await sweepMany()).toBe(1);
      for (let elapsed = 0; elapsed < claim - 1; elapsed += 1_000) {
        expect(await sweepMany()).toBe(0);
        world.leap(elapsed + 1_000 < claim ? 1_000 : 999);
      }
      expect(await sweepMany()).toBe(0);
      world.leap(1);
      expect(await sweepMany()).toBe(1);
      // Each page renews the claim.
      for (let page = 0; page < 10; page += 1) {
        world.leap(2_000);
        await world.store.declareLost([]);
        expect(await sweepMany()).toBe(0);
      }
      await world.store.settle();
      await world.pass(60_000);
      expect(await sweepMany()).toBe(0);
      expect(await world.sweep()).toMatchObject({ recover: false, settled: true });
    });

    test('who does not come back after a loss is away once, last seen when all was well', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert', 'carl', 'dora']);

      await world.harness.empty();
      await expect(gateway.report()).rejects.toMatchObject(unavailable);
      await world.sweep();
      const told = ['anna', 'bert', 'carl', 'dora'];
      // While the store was away: bert and carl went, eric came.
      gateway.next({ went: ['bert', 'carl'] });
      gateway.enter('eric');
      await gateway.heal(await gateway.report());
      expect(await world.store.claim(10)).toMatchObject(
        ['anna', 'dora', 'eric'].map((name) => ({ userId: name, online: true, told: 'unknown' })),
      );
      await world.pass(warmUp - 1);
      await gateway.report({ came: ['carl'] });
      world.leap(1);
      expect((await world.sweep()).recover).toBe(true);
      await world.store.declareLost(told.map(userId));
      await world.store.declareLost(told.map(userId));
      await world.store.settle();
      const claims = await world.announce();
      expect(changesIn(claims)).toEqual(['anna on', 'bert off', 'carl on', 'dora on', 'eric on']);
      const bert = claims.find(({ userId: id }) => id === 'bert');
      expect(bert).toMatchObject({ online: false, told: true, seenAt: PresenceWorld.aliveAt });
      expect(bert?.changedAt).toBe(world.now);
      expect(await world.harness.users()).toBe(4);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('who comes back after being declared lost and before it was told makes no noise', async () => {
      const world = await newWorld();
      await world.settle(['anna', 'bert']);
      const gateway = world.gateway('g1');
      await gateway.report({ came: ['anna'] });
      expect(changesIn(await world.announce())).toEqual(['bert off']);
      await gateway.report({ went: ['anna'] });
      await world.pass(grace);
      expect(await world.announce()).toMatchObject([{ online: false, told: true }]);
    });

    test('a claim of the old epoch settles nothing in the new one', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      await gateway.report({ came: ['anna'] });
      const old = await world.store.claim(10);
      await world.harness.empty();
      await expect(world.store.commit(old)).rejects.toMatchObject(unavailable);
      await world.sweep();
      await gateway.report({ came: ['anna'] });
      const fresh = await world.store.claim(10);
      await world.store.commit(old);
      await world.store.release(old, 0);
      expect(await world.store.claim(10)).toEqual([]);
      expect(await world.store.size()).toMatchObject({ pending: 1 });
      await world.store.commit(fresh);
      expect(await world.store.size()).toMatchObject({ pending: 0 });
    });

    test('a recovery of the old epoch neither ends the new warm-up nor declares users lost', async () => {
      const world = await newWorld();
      await world.sweep();
      await world.pass(warmUp - 1);
      world.leap(1);
      expect((await world.sweep()).recover).toBe(true);
      await world.harness.empty();
      await world.sweep();
      await expect(world.store.declareLost([userId('anna')])).rejects.toMatchObject(unavailable);
      await expect(world.store.settle()).rejects.toMatchObject(unavailable);
      expect(await world.sweep()).toMatchObject({ pending: false, settled: false });
    });

    test('a recovery that stalled past its claim is refused, and one that is over changes nothing', async () => {
      const world = await newWorld();
      await world.sweep();
      await world.pass(warmUp - 1);
      world.leap(1);
      expect((await world.sweep()).recover).toBe(true);
      world.leap(2_500);
      await world.store.declareLost([userId('anna')]);
      world.leap(2_500);
      await world.announce();
      world.leap(2_500);
      await expect(world.store.declareLost([userId('bert')])).rejects.toMatchObject(unavailable);
      await expect(world.store.settle()).rejects.toMatchObject(unavailable);
      expect((await world.sweep()).recover).toBe(true);
      await world.store.settle();
      await world.store.declareLost([userId('bert')]);
      await world.store.settle();
      expect(await world.announce()).toEqual([]);
    });
  });
}
