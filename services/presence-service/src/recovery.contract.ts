import type { UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  befriend,
  newUsers,
  type OpenHouse,
  playGateway,
  startReplica,
} from './presence-fixture.ts';

type Four = [UserId, UserId, UserId, UserId];
const durations = { warmUp: 800 };

export function recoveryContract(open: OpenHouse): void {
  describe('after everything was restarted', () => {
    it('who is back makes no noise, who is not is offline once, last seen when all went', async () => {
      await using house = await open(durations);
      const { statusStore } = house;
      const [ada, bob, cyd, dan] = newUsers('ada', 'bob', 'cyd', 'dan') as Four;
      await befriend(house, ada, bob, cyd, dan);
      {
        await using _replica = await startReplica(house);
        using gateway = await playGateway(house);
        await gateway.settled();
        await gateway.connect(ada, bob, cyd);
        await gateway.hears(ada, bob, ['online']);
        await gateway.hears(ada, cyd, ['online']);
      }
      const lastAlive = await statusStore.lastAlive();
      const shown = (await statusStore.statusesOf([bob])).get(bob);

      await house.emptyPresence();
      await using one = await startReplica(house);
      await using two = await startReplica(house);
      using gateway = await playGateway(house);
      await waitFor(() => gateway.connect(ada, bob));
      // Meanwhile friends are shown what they were told.
      const before = await gateway.snapshots([ada]);
      expect(before[ada]?.toSorted()).toEqual([bob, cyd].toSorted());
      await gateway.hears(ada, cyd, ['offline']);
      expect(gateway.changes.filter(({ userId }) => userId === cyd)).toEqual([
        expect.objectContaining({ online: false, lastSeenAt: lastAlive, to: [ada] }),
      ]);
      await gateway.settled();
      await gateway.connect(dan);
      await gateway.hears(ada, dan, ['online']);
      await gateway.disconnect([dan]);
      await gateway.hears(ada, dan, ['online', 'offline']);
      expect(gateway.heard(ada, bob)).toEqual([]);
      expect(gateway.heard(ada, cyd)).toEqual(['offline']);
      expect(await gateway.snapshots([ada])).toEqual({ [ada]: [bob] });
      // The absence that nobody noticed changed nothing about the one before.
      const kept = (await statusStore.statusesOf([bob])).get(bob);
      expect(kept).toMatchObject({ online: true, lastSeenAt: shown?.lastSeenAt });
      const recoveries = await Promise.all(
        [one, two].map((replica) =>
          replica.metric('bambochat_presence_recoveries_total{outcome="done"}'),
        ),
      );
      expect(recoveries.reduce((sum, done) => sum + done)).toBe(1);
    });

    it('who comes before it is settled is told to all gateways', async () => {
      await using house = await open({ warmUp: 60_000 });
      await using _replica = await startReplica(house);
      using here = await playGateway(house);
      using there = await playGateway(house);
      const [ada, bob] = newUsers('ada', 'bob') as Four;
      await befriend(house, ada, bob);
      await waitFor(() => here.connect(bob));
      await here.hears(ada, bob, ['online']);
      await there.hears(ada, bob, ['online']);
      expect(await here.heartbeat()).toMatchObject({ settled: false });
    });
  });

  describe('after the presence store was emptied', () => {
    it('nobody hears of those who are still here, and all of those who are not', async () => {
      await using house = await open(durations);
      await using _one = await startReplica(house);
      await using _two = await startReplica(house);
      using gateway = await playGateway(house);
      using dying = await playGateway(house);
      await gateway.settled();
      const [ada, bob, cyd, dan] = newUsers('ada', 'bob', 'cyd', 'dan') as Four;
      await befriend(house, ada, bob, cyd, dan);
      await gateway.connect(ada, bob);
      await dying.connect(cyd);
      await gateway.hears(ada, bob, ['online']);
      await gateway.hears(ada, cyd, ['online']);

      const lostAt = Date.now();
      await house.emptyPresence();
      // As gateways do: again until it is answered, and then all that is not there.
      await waitFor(() => gateway.heartbeat());
      await gateway.retell();
      await gateway.hears(ada, cyd, ['online', 'offline']);
      await gateway.settled();
      await gateway.connect(dan);
      await gateway.hears(ada, dan, ['online']);
      expect(gateway.heard(ada, bob)).toEqual(['online']);
      expect(gateway.heard(ada, cyd)).toEqual(['online', 'offline']);
      const gone = gateway.changes.findLast(({ userId }) => userId === cyd);
      // Within a sweep and the slowness of a test machine.
      expect(Date.parse(gone?.lastSeenAt ?? '')).toBeLessThanOrEqual(lostAt + 1000);
      expect(Date.parse(gone?.lastSeenAt ?? '')).toBeGreaterThan(lostAt - 10_000);
      await gateway.disconnect([bob]);
      await gateway.hears(ada, bob, ['online', 'offline']);
    });
  });
}
