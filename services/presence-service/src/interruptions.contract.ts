import { type UserId, unavailable } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  befriend,
  cuttableBus,
  newUsers,
  type OpenHouse,
  playGateway,
  replaceMethods,
  startReplica,
  watchCalls,
} from './presence-fixture.ts';

const never = new Promise<never>(() => {});

export function interruptionsContract(open: OpenHouse): void {
  describe('with the databases away', () => {
    it('transitions wait, and are told in order once they are back', async () => {
      await using house = await open();
      let away = false;
      const fail = (name: string) => {
        if (away && name !== 'recordAlive') {
          throw unavailable('Storage');
        }
      };
      await using replica = await startReplica(house, {
        alter: ({ statusStore, friendStore }) => ({
          statusStore: watchCalls(statusStore, fail),
          friendStore: watchCalls(friendStore, fail),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob, cyd] = newUsers('ada', 'bob', 'cyd') as [UserId, UserId, UserId];
      await befriend(house, ada, bob, cyd);
      await gateway.connect(ada, bob);
      await gateway.hears(ada, bob, ['online']);

      away = true;
      await gateway.disconnect([bob]);
      await waitFor(() => replica.logged.includes('statuses wait to be announced'));
      await gateway.connect(cyd);
      await waitFor(async () => (await replica.presenceStore.size()).pending === 2);
      expect(gateway.heard(ada, cyd)).toEqual([]);
      expect(gateway.heard(ada, bob)).toEqual(['online']);
      expect((await gateway.heartbeat()).buckets).toBeNull();

      away = false;
      await gateway.hears(ada, bob, ['online', 'offline']);
      await gateway.hears(ada, cyd, ['online']);
      await gateway.connect(bob);
      await gateway.hears(ada, bob, ['online', 'offline', 'online']);
      expect(gateway.heard(ada, cyd)).toEqual(['online']);
      expect(replica.logged).toContain('statuses are announced again');
      // Said once, not at every try.
      expect(replica.logged.filter((msg) => msg === 'statuses wait to be announced')).toHaveLength(
        1,
      );
    });

    it('a status that was kept and not told is told by the next try, once', async () => {
      await using house = await open();
      let failures = 0;
      await using _replica = await startReplica(house, {
        alter: ({ friendStore }) => ({
          friendStore: watchCalls(friendStore, (name) => {
            if (name === 'friendsOf' && failures > 0) {
              failures -= 1;
              throw unavailable('Storage');
            }
          }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob, cyd] = newUsers('ada', 'bob', 'cyd') as [UserId, UserId, UserId];
      await befriend(house, ada, bob, cyd);
      await gateway.connect(ada);
      failures = 2;
      await gateway.connect(bob);
      await gateway.hears(ada, bob, ['online']);
      await gateway.connect(cyd);
      await gateway.hears(ada, cyd, ['online']);
      expect(gateway.heard(ada, bob)).toEqual(['online']);
      expect(failures).toBe(0);
    });
  });

  describe('with the bus away', () => {
    it('time stands still and nothing is lost', async () => {
      await using house = await open({ lease: 600 });
      let sweeps = 0;
      let bus = cuttableBus(house.bus());
      await using replica = await startReplica(house, {
        alter: (parts) => {
          bus = cuttableBus(parts.bus);
          return {
            bus,
            presenceStore: watchCalls(parts.presenceStore, (name) => {
              sweeps += name === 'sweep' ? 1 : 0;
            }),
          };
        },
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob, cyd] = newUsers('ada', 'bob', 'cyd') as [UserId, UserId, UserId];
      await befriend(house, ada, bob, cyd);
      await gateway.connect(ada, bob);
      await gateway.hears(ada, bob, ['online']);

      bus.cut = true;
      const held = await replica.metric('bambochat_presence_sweeps_total{outcome="held"}');
      await waitFor(() =>
        replica.logged.includes('no connection to gateways, presence stands still'),
      );
      const swept = sweeps;
      // Longer than the lease and the grace.
      await waitFor(async () => {
        const now = await replica.metric('bambochat_presence_sweeps_total{outcome="held"}');
        return now >= held + 5;
      });
      expect(sweeps).toBe(swept);

      bus.cut = false;
      await waitFor(() => replica.logged.includes('gateways can be reached again'));
      await gateway.connect(cyd);
      await gateway.hears(ada, cyd, ['online']);
      await waitFor(async () => {
        await gateway.heartbeat();
        return sweeps > swept + 2;
      });
      expect(gateway.heard(ada, bob)).toEqual(['online']);
      // Then the lease runs out as always.
      await waitFor(async () => (await replica.presenceStore.size()).gateways === 0);
    });

    it('transitions wait, and are told once it is back', async () => {
      // What may have been heard stays claimed for so long.
      await using house = await open({ claim: 1000 });
      let bus = cuttableBus(house.bus());
      let cutAfterPublishing = false;
      await using replica = await startReplica(house, {
        alter: (parts) => {
          const cuttable = cuttableBus(parts.bus);
          bus = replaceMethods(cuttable, {
            publish(subject, payload) {
              cuttable.cut ||= cutAfterPublishing;
              cuttable.publish(subject, payload);
            },
          });
          return { bus };
        },
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      await befriend(house, ada, bob);
      await gateway.connect(ada);
      cutAfterPublishing = true;
      await gateway.connect(bob);
      await waitFor(() => replica.logged.includes('statuses wait to be announced'));
      expect(gateway.heard(ada, bob)).toEqual([]);
      cutAfterPublishing = false;
      bus.cut = false;
      await gateway.hears(ada, bob, ['online']);
      await gateway.disconnect([bob]);
      await gateway.hears(ada, bob, ['online', 'offline']);
    });
  });

  describe('a replica that dies', () => {
    it('with its claim is taken over by another', async () => {
      await using house = await open({ claim: 500 });
      let claimed = 0;
      await using _dying = await startReplica(house, {
        alter: ({ presenceStore }) => ({
          presenceStore: replaceMethods(presenceStore, {
            async claim(limit) {
              claimed += (await presenceStore.claim(limit)).length;
              return never;
            },
          }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      await befriend(house, ada, bob);
      await gateway.connect(ada);
      await waitFor(() => claimed === 1);
      await using heir = await startReplica(house);
      await heir.quiet();
      await gateway.connect(bob);
      await gateway.hears(ada, bob, ['online']);
      await gateway.disconnect([ada]);
      await gateway.hears(bob, ada, ['offline']);
    });

    it('after it has spoken makes the other say the same again', async () => {
      await using house = await open({ claim: 500 });
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      await befriend(house, ada, bob);
      await using dying = await startReplica(house, {
        alter: ({ presenceStore }) => ({
          presenceStore: replaceMethods(presenceStore, {
            commit: (claims) =>
              claims.some(({ userId }) => userId === bob) ? never : presenceStore.commit(claims),
          }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      await gateway.connect(ada);
      await gateway.connect(bob);
      await gateway.hears(ada, bob, ['online']);
      // And what happened unheard meanwhile changes nothing about that.
      await gateway.disconnect([bob]);
      await waitFor(async () => (await dying.presenceStore.size()).leaving === 0);
      await gateway.connect(bob);
      await using _heir = await startReplica(house);
      await gateway.hears(ada, bob, ['online', 'online']);
      const [first, second] = gateway.changes.filter(({ userId }) => userId === bob);
      // By which gateways know that it is the same.
      expect(second).toEqual(first);
    });
  });

  describe('a drain', () => {
    it('finishes what is being announced and keeps when presence last worked', async () => {
      await using house = await open();
      const slow = Promise.withResolvers<void>();
      let held = false;
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      const replica = await startReplica(house, {
        alter: ({ friendStore }) => ({
          friendStore: replaceMethods(friendStore, {
            async friendsOf(userIds) {
              if (userIds.includes(bob)) {
                held = true;
                await slow.promise;
              }
              return friendStore.friendsOf(userIds);
            },
          }),
        }),
      });
      await using _replica = replica;
      using gateway = await playGateway(house);
      await gateway.settled();
      await befriend(house, ada, bob);
      await gateway.connect(ada);
      await gateway.connect(bob);
      await waitFor(() => held);
      const begun = Date.now();
      const drained = replica.drain();
      await expect(gateway.heartbeat()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      slow.resolve();
      await drained;
      await gateway.hears(ada, bob, ['online']);
      expect((await replica.presenceStore.size()).pending).toBe(0);
      const alive = await house.statusStore.lastAlive();
      expect(Date.parse(alive ?? '')).toBeGreaterThan(begun - 5000);
    });

    it('ends although nothing answers', async () => {
      await using house = await open();
      let stuck = false;
      await using replica = await startReplica(house, {
        drainTimeout: 200,
        alter: ({ statusStore, bus }) => ({
          statusStore: watchCalls(statusStore, () => (stuck ? never : undefined)),
          bus: replaceMethods(bus, { flush: () => (stuck ? never : bus.flush()) }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      stuck = true;
      await gateway.connect(newUsers('ada')[0] as UserId);
      await expect(replica.drain()).resolves.toBeUndefined();
    });
  });
}
