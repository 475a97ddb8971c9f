import { describe, expect, test } from 'vitest';
import type { Claim } from './presence-store.ts';
import {
  changesIn,
  durations,
  type NewWorld,
  type PlayedGateway,
  type PresenceWorld,
} from './presence-world.fixture.ts';

/** Claims: one caller at a time tells a transition, and somebody does. */
export function announcingContract(newWorld: NewWorld): void {
  describe('announcing', () => {
    const opened = async (): Promise<{ world: PresenceWorld; gateway: PlayedGateway }> => {
      const world = await newWorld();
      await world.settle();
      return { world, gateway: world.gateway('g1') };
    };
    /** Goes and is away. */
    const depart = async ({ world, gateway }: Awaited<ReturnType<typeof opened>>, name: string) => {
      await gateway.report({ went: [name] });
      await world.pass(durations.grace);
    };

    test('of many callers at once, each transition goes to one', async () => {
      const { world, gateway } = await opened();
      const names = Array.from({ length: 300 }, (_, index) => `user-${index}`);
      for (const round of ['on', 'off']) {
        await gateway.report(round === 'on' ? { came: names } : { went: names });
        await world.pass(durations.grace);
        const claims = (
          await Promise.all(Array.from({ length: 40 }, () => world.store.claim(10)))
        ).flat();
        expect(changesIn(claims)).toEqual(names.map((name) => `${name} ${round}`).sort());
        expect(new Set(claims.map(({ token }) => token)).size).toBe(300);
        await Promise.all(claims.map((claim) => world.store.commit([claim])));
        await world.pass(60_000);
        expect(await world.announce()).toEqual([]);
      }
    });

    test('a claim gives no more than the limit, the longest waiting first', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['carl'] });
      world.leap(1);
      await gateway.report({ came: ['bert', 'anna'] });
      expect((await world.store.claim(2)).map(({ userId }) => userId)).toEqual(['carl', 'anna']);
      expect((await world.store.claim(2)).map(({ userId }) => userId)).toEqual(['bert']);
      expect(await world.store.claim(2)).toEqual([]);
    });

    test('a sweep says whether there is something to claim', async () => {
      const { world, gateway } = await opened();
      expect((await world.sweep()).pending).toBe(false);
      await gateway.report({ came: ['anna'] });
      expect((await world.sweep()).pending).toBe(true);
      const claims = await world.store.claim(10);
      expect((await world.sweep()).pending).toBe(false);
      await world.store.commit(claims);
      expect((await world.sweep()).pending).toBe(false);
    });

    test('a transition whose claimer died is claimed again, and may have been told', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const [dead] = await world.store.claim(10);
      await world.pass(durations.claim - 1);
      expect(await world.store.claim(10)).toEqual([]);
      await world.pass(1);
      const [heir] = await world.store.claim(10);
      expect(heir).toEqual({ ...dead, told: null, token: heir?.token });
      expect(heir?.token).not.toBe(dead?.token);
      await world.store.commit(heir ? [heir] : []);
      await world.pass(60_000);
      expect(await world.announce()).toEqual([]);
    });

    test('a claimer who is late settles nothing that is not his any more', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const late = await world.store.claim(10);
      await world.pass(durations.claim);
      const heir = await world.store.claim(10);
      await world.store.commit(late);
      await world.store.release(late, 0);
      expect(await world.store.claim(10)).toEqual([]);
      await world.store.commit(heir);
      // Nor does he say it again about the next one.
      await depart({ world, gateway }, 'anna');
      await world.store.commit(late);
      await world.store.release(heir, 0);
      expect(await world.announce()).toMatchObject([{ online: false, told: true }]);
    });

    test('a claimer who is late and was not replaced has still told it', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const late = await world.store.claim(10);
      await world.pass(60_000);
      await world.store.commit(late);
      expect(await world.announce()).toEqual([]);
    });

    test('what is released can be claimed after the delay, as before', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const [first] = await world.store.claim(10);
      await world.store.release(first ? [first] : [], 1_000);
      await world.pass(999);
      expect(await world.store.claim(10)).toEqual([]);
      await world.pass(1);
      const [second] = await world.store.claim(10);
      expect(second).toEqual({ ...first, token: second?.token });
      // An heir who releases does not know what the dead one told.
      await world.pass(durations.claim);
      const heir = await world.store.claim(10);
      await world.store.release(heir, 0);
      expect(await world.announce()).toMatchObject([{ told: null }]);
    });

    test('who comes back before anybody heard of the absence has not changed', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      await world.announce();
      await depart({ world, gateway }, 'anna');
      await gateway.report({ came: ['anna'] });
      expect(await world.announce()).toEqual([]);
      expect(await world.store.size()).toMatchObject({ pending: 0 });
    });

    test('a visit that nobody heard of is told to nobody, and its end is kept', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      await world.pass(10_000);
      const went = world.now;
      await depart({ world, gateway }, 'anna');
      expect(await world.announce()).toMatchObject([{ online: false, told: false, seenAt: went }]);
      expect(await world.harness.users()).toBe(0);
    });

    test('what changes during a claim comes next, and only then', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const coming = await world.store.claim(10);
      await gateway.report({ went: [['anna', durations.grace]] });
      await world.sweep();
      expect(await world.store.claim(10)).toEqual([]);
      await world.store.commit(coming);
      const going = await world.store.claim(10);
      expect(going).toMatchObject([{ online: false, told: true }]);

      await gateway.report({ came: ['anna'] });
      await world.store.commit(going);
      const again = await world.store.claim(10);
      expect(again).toMatchObject([{ online: true, told: false }]);
      const changes = [coming, going, again].flat().map(({ changedAt }) => changedAt);
      expect(changes).toEqual([...new Set(changes)].sort((one, other) => one - other));
    });

    test('a user who is back where the claim saw them has not changed', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const coming = await world.store.claim(10);
      await gateway.report({ went: [['anna', durations.grace]] });
      await world.sweep();
      await gateway.report({ came: ['anna'] });
      await world.store.commit(coming);
      expect(await world.announce()).toEqual([]);
      await depart({ world, gateway }, 'anna');
      expect(changesIn(await world.announce())).toEqual(['anna off']);
    });

    test('a user who flips while a claim is released is claimed with the newest state', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      await world.announce();
      await depart({ world, gateway }, 'anna');
      const going = await world.store.claim(10);
      expect(going).toMatchObject([{ online: false, told: true }]);
      await gateway.report({ came: ['anna'] });
      await world.store.release(going, 0);
      expect(await world.announce()).toEqual([]);
      expect(await world.store.size()).toMatchObject({ pending: 0 });
    });

    test('after a claimer died, what came next is told whatever he told', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      await world.announce();
      await depart({ world, gateway }, 'anna');
      await world.store.claim(10);
      await gateway.report({ came: ['anna'] });
      await world.pass(durations.claim);
      expect(await world.announce()).toMatchObject([{ online: true, told: null }]);
    });

    test('claims that nobody has made settle nothing', async () => {
      const { world, gateway } = await opened();
      await gateway.report({ came: ['anna'] });
      const [claim] = await world.store.claim(10);
      const made = { ...claim, userId: 'eric' } as Claim;
      await world.store.commit([made, { ...made, userId: 'anna', token: 1 } as Claim]);
      await world.store.release([made], 0);
      await world.store.commit([]);
      await world.store.release([], 0);
      expect(await world.store.size()).toMatchObject({ pending: 1 });
      await world.store.commit(claim ? [claim] : []);
      expect(await world.store.size()).toMatchObject({ pending: 0 });
    });
  });
}
