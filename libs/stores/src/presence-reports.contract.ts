import { describe, expect, test } from 'vitest';
import { changesIn, durations, gatewayWith, type NewWorld } from './presence-world.fixture.ts';

/** What gateways say, twice, late and with gaps. */
export function reportsContract(newWorld: NewWorld): void {
  describe('reports', () => {
    test('saying the same again changes nothing', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert']);
      expect(await gateway.report({ came: ['anna', 'bert'] })).toEqual({
        stale: false,
        changed: false,
        buckets: null,
        settled: true,
      });
      await gateway.report({ went: ['bert'] });
      const went = world.now;
      await world.pass(2_000);
      expect(await gateway.report({ went: ['bert', 'never-here'] })).toMatchObject({
        changed: false,
        buckets: null,
      });
      await world.pass(3_000);
      expect(await world.announce()).toMatchObject([{ userId: 'bert', seenAt: went }]);
    });

    test('an older report that comes late does nothing, and does not renew the lease', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const old = gateway.next({ came: ['anna'] });
      await gateway.report({ went: ['anna'], came: ['bert'] });
      await world.announce();
      world.silence(gateway);
      await world.pass(durations.lease - 1);
      const refused = { stale: true, changed: false, buckets: null, settled: true };
      expect(await world.store.report(old)).toEqual(refused);
      expect(await world.store.report({ ...old, number: gateway.number })).toEqual(refused);
      expect(changesIn(await world.announce())).toEqual([]);
      await world.pass(1 + durations.grace);
      expect(changesIn(await world.announce())).toEqual(['bert off']);
    });

    test('a lost arrival shows in the digest and is healed by the part that differs', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const names = Array.from({ length: 40 }, (_, index) => `user-${index}`);
      await gateway.report({ came: names });
      await world.announce();

      gateway.enter('lost');
      const outcome = await gateway.report();
      const known = new Set(names.map((name) => gateway.bucket(name)));
      expect(outcome.buckets?.map(([bucket]) => bucket)).toEqual(
        [...known].sort((one, other) => one - other),
      );
      expect(await gateway.heal(outcome)).toEqual([gateway.bucket('lost')]);
      expect((await gateway.report()).buckets).toBeNull();
      expect(changesIn(await world.announce())).toEqual(['lost on']);
    });

    test('a lost departure shows in the digest and is healed, last seen at the healing', async () => {
      const { world, gateway } = await gatewayWith(newWorld, ['anna', 'bert']);

      gateway.next({ went: ['bert'] });
      const outcome = await gateway.report();
      expect(outcome.buckets).toHaveLength(
        gateway.bucket('anna') === gateway.bucket('bert') ? 1 : 2,
      );
      const healed = world.now;
      expect(await gateway.heal(outcome)).toEqual([gateway.bucket('bert')]);
      expect((await gateway.report()).buckets).toBeNull();
      await world.pass(durations.grace);
      expect(await world.announce()).toMatchObject([
        { userId: 'bert', online: false, seenAt: healed },
      ]);
    });

    test('a replaced part leaves the others, and who stays in it, alone', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const names = Array.from({ length: 600 }, (_, index) => `user-${index}`);
      await gateway.report({ came: names.slice(0, 500) });
      await gateway.report({ came: names.slice(500) });
      while ((await world.announce()).length > 0) {}

      const bucket = gateway.bucket('user-0');
      const part = names.filter((name) => gateway.bucket(name) === bucket);
      expect(part.length).toBeGreaterThan(1);
      expect(await gateway.report({ replaced: bucket })).toMatchObject({
        changed: false,
        buckets: null,
      });
      gateway.next({ went: ['user-0'] });
      expect(await gateway.report({ replaced: bucket })).toMatchObject({
        changed: true,
        buckets: null,
      });
      await world.pass(durations.grace);
      expect(changesIn(await world.announce())).toEqual(['user-0 off']);
    });

    test('parts apply in the order replaced, disconnected, connected', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      gateway.enter('anna');
      const { bucket } = gateway.part(gateway.bucket('anna'));
      const all = gateway.next({ replaced: bucket, went: ['anna'], came: ['anna'] });
      const entry = gateway.enter('anna');
      expect(
        await world.store.report({ ...all, replaced: { bucket, users: [entry] } }),
      ).toMatchObject({ changed: true, buckets: null });
      expect(await world.store.size()).toMatchObject({ leaving: 0 });

      const gone = gateway.next({ replaced: bucket, went: ['anna'] });
      await world.store.report({ ...gone, replaced: { bucket, users: [entry] } });
      expect(await world.store.size()).toMatchObject({ leaving: 1 });
    });

    test('hashes at their limits do not spoil the sums', async () => {
      const world = await newWorld();
      await world.settle();
      const gateway = world.gateway('g1');
      const top = 0xffff_ffff;
      const users = Array.from({ length: 500 }, (_, index): [string, number] => [
        `user-${index}`,
        top - 256 * index,
      ]);
      const sum = users.reduce((total, [, hash]) => total + hash, 0);
      const report = gateway.next();
      const outcome = await world.store.report({
        ...report,
        connected: [...users, ['zero', 0]] as typeof report.connected,
        digest: { users: 501, sum },
      });
      expect(outcome.buckets).toBeNull();
      expect((await gateway.report()).buckets).toContainEqual([255, sum]);
    });
  });
}
