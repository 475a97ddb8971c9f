import type { UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  befriend,
  newUser,
  newUsers,
  type OpenHouse,
  playGateway,
  replaceMethods,
  startReplica,
  testDurations,
} from './presence-fixture.ts';

export function announcementsContract(open: OpenHouse): void {
  describe('a transition', () => {
    it('is one message to each gateway, for the friends who are there', async () => {
      await using house = await open();
      await using replica = await startReplica(house);
      using here = await playGateway(house);
      using there = await playGateway(house);
      using elsewhere = await playGateway(house);
      await here.settled();
      const [ada, bob, cyd, dan] = newUsers('ada', 'bob', 'cyd', 'dan') as [
        UserId,
        UserId,
        UserId,
        UserId,
      ];
      const stranger = newUser('stranger');
      await befriend(house, ada, bob, cyd, dan);
      // Bob on two gateways, Cyd on one, Dan nowhere.
      await here.connect(bob, stranger);
      await there.connect(bob, cyd);
      await elsewhere.connect(stranger);
      // Ada hears of none of these.
      await replica.quiet();
      const before = await replica.metric('bambochat_presence_status_messages_total');
      await elsewhere.connect(ada);
      await here.hears(bob, ada, ['online']);
      await there.hears(cyd, ada, ['online']);
      const [toHere, toThere] = [here, there].map(({ changes }) =>
        changes.filter(({ userId }) => userId === ada),
      );
      expect(toHere).toEqual([
        {
          kind: 'change',
          userId: ada,
          online: true,
          lastSeenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          changedAt: expect.any(Number),
          to: [bob],
        },
      ]);
      expect(toThere).toEqual([{ ...toHere?.[0], to: expect.any(Array) }]);
      expect(toThere?.[0]?.to.toSorted()).toEqual([bob, cyd].toSorted());
      expect(elsewhere.changes).toEqual([]);
      const messages = await replica.metric('bambochat_presence_status_messages_total');
      expect(messages - before).toBe(2);
    });

    it('soon after another one waits for those that come with it', async () => {
      await using house = await open();
      /** When it was asked for transitions, and how many there were. */
      const claims: { at: number; count: number }[] = [];
      await using replica = await startReplica(house, {
        alter: ({ presenceStore }) => ({
          presenceStore: replaceMethods(presenceStore, {
            async claim(limit) {
              const at = performance.now();
              const claimed = await presenceStore.claim(limit);
              claims.push({ at, count: claimed.length });
              return claimed;
            },
          }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      for (const user of newUsers(...Array.from({ length: 40 }, (_, index) => `user${index}`))) {
        await gateway.connect(user);
      }
      await replica.quiet();
      expect(claims.reduce((sum, { count }) => sum + count, 0)).toBe(40);
      // 50 ms from one round to the next, by a timer that may be a millisecond early.
      for (const [index, { at, count }] of claims.entries()) {
        const next = claims[index + 1];
        if (count > 0 && next !== undefined) {
          expect(next.at - at).toBeGreaterThan(48);
        }
      }
    });

    it('of a user without friends tells nobody and is kept', async () => {
      await using house = await open();
      await using replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const loner = newUser('loner');
      await gateway.connect(loner);
      await waitFor(async () => (await house.statusStore.statusesOf([loner])).size === 1);
      await gateway.disconnect([loner]);
      await waitFor(async () => {
        const statuses = await house.statusStore.statusesOf([loner]);
        return statuses.get(loner)?.online === false;
      });
      const status = (await house.statusStore.statusesOf([loner])).get(loner);
      expect(Date.parse(status?.lastSeenAt ?? '')).toBeLessThanOrEqual(status?.changedAt ?? 0);
      expect(gateway.changes).toEqual([]);
      expect(await replica.metric('bambochat_presence_status_messages_total')).toBe(0);
    });

    it('tells when the user was last here', async () => {
      await using house = await open();
      await using _replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      await befriend(house, ada, bob);
      await gateway.connect(bob);
      const told = () => gateway.changes.filter(({ userId }) => userId === ada);

      const cameAt = Date.now();
      await gateway.connect(ada);
      await gateway.hears(bob, ada, ['online']);
      const [first] = told();
      // Here for the first time: this moment.
      expect(Date.parse(first?.lastSeenAt ?? '')).toBeGreaterThanOrEqual(cameAt - 1000);
      expect(Date.parse(first?.lastSeenAt ?? '')).toBeLessThanOrEqual(Date.now() + 1000);

      const wentAt = Date.now();
      await gateway.disconnect([ada]);
      await gateway.hears(bob, ada, ['online', 'offline']);
      const [, gone] = told();
      expect(Date.parse(gone?.lastSeenAt ?? '')).toBeGreaterThanOrEqual(wentAt - 1000);
      // Not when the grace was over.
      expect(gone?.changedAt).toBeGreaterThanOrEqual(
        Date.parse(gone?.lastSeenAt ?? '') + testDurations.grace,
      );

      await gateway.connect(ada);
      await gateway.hears(bob, ada, ['online', 'offline', 'online']);
      expect(told()[2]?.lastSeenAt).toBe(gone?.lastSeenAt);
      const times = told().map(({ changedAt }) => changedAt);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(new Set(times).size).toBe(3);
    });

    it('is told to a friend who is in the store by then', async () => {
      await using house = await open();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      const { statusStore } = house;
      await using _replica = await startReplica(house, {
        alter: ({ statusStore: real }) => ({
          statusStore: replaceMethods(real, {
            async record(statuses) {
              // The latest moment at which a friendship can begin without anybody having to look.
              if (statuses.some(({ userId }) => userId === ada)) {
                await befriend(house, ada, bob);
              }
              await real.record(statuses);
            },
          }),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      await gateway.connect(bob);
      await waitFor(async () => (await statusStore.statusesOf([bob])).size === 1);
      await gateway.connect(ada);
      await gateway.hears(bob, ada, ['online']);
    });

    it('is announced once, however many replicas there are', async () => {
      await using house = await open();
      await using one = await startReplica(house);
      await using two = await startReplica(house);
      await using three = await startReplica(house);
      using here = await playGateway(house);
      using there = await playGateway(house);
      await here.settled();
      const watcher = newUser('watcher');
      const people = newUsers(...Array.from({ length: 40 }, (_, index) => `person${index}`));
      const last = newUser('last');
      await befriend(house, watcher, ...people, last);
      await here.connect(watcher);
      for (let cycle = 0; cycle < 2; cycle += 1) {
        await Promise.all([
          here.connect(...people.slice(0, 30)),
          // Ten of them on both.
          there.connect(...people.slice(20)),
        ]);
        await waitFor(() => here.changes.filter(({ online }) => online).length >= 40 * (cycle + 1));
        await Promise.all([
          here.disconnect(people.slice(0, 30)),
          there.disconnect(people.slice(20)),
        ]);
        await waitFor(
          () => here.changes.filter(({ online }) => !online).length >= 40 * (cycle + 1),
        );
      }
      await here.connect(last);
      await here.hears(watcher, last, ['online']);
      for (const person of people) {
        expect(here.heard(watcher, person)).toEqual(['online', 'offline', 'online', 'offline']);
      }
      expect(there.changes.filter(({ to }) => to.includes(watcher))).toEqual([]);
      const told = await Promise.all(
        [one, two, three].map((replica) =>
          replica.metric('bambochat_presence_transitions_total{outcome="told"}'),
        ),
      );
      // The watcher's own and the last one's, too.
      expect(told.reduce((sum, one) => sum + one)).toBe(40 * 4 + 2);
    });
  });
}
