import {
  type FriendshipId,
  type PresenceReplicaId,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { describe, expect, it } from 'vitest';
import {
  befriend,
  newUser,
  newUsers,
  type OpenHouse,
  playGateway,
  startReplica,
  watchCalls,
} from './presence-fixture.ts';

type Three = [UserId, UserId, UserId];

export function requestsContract(open: OpenHouse): void {
  describe('a report', () => {
    it('is answered with when the next one is due and whether the digests agree', async () => {
      await using house = await open();
      await using _replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      expect(await gateway.connect(ada)).toEqual({
        replicaId: expect.any(String),
        nextReportIn: 5000,
        buckets: null,
        settled: true,
      });
      const wrong = await gateway.heartbeat({ digest: { users: 2, sum: 1 } });
      expect(wrong.buckets).toHaveLength(1);
      await gateway.connect(bob);
      expect(await gateway.heartbeat()).toMatchObject({ buckets: null });
    });

    it('can be made to the replica that has answered before', async () => {
      await using house = await open();
      await using _one = await startReplica(house);
      await using _other = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const bus = house.bus();
      const { replicaId } = await gateway.heartbeat();
      for (let times = 0; times < 10; times += 1) {
        const answer = await gateway.heartbeat({}, subjects.presenceReportTo(replicaId));
        expect(answer.replicaId).toBe(replicaId);
      }
      await expect(
        bus.request(subjects.presenceReportTo('nobody' as PresenceReplicaId), {}),
      ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('that comes too late or is none is refused', async () => {
      await using house = await open();
      await using _replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      await expect(gateway.heartbeat({ number: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
      const bus = house.bus();
      await expect(bus.request(subjects.presenceReport, { number: 1 })).rejects.toMatchObject({
        code: 'VALIDATION',
      });
      await expect(bus.request(subjects.presenceSnapshots, { userIds: [] })).rejects.toMatchObject({
        code: 'VALIDATION',
      });
    });

    it('that is a mere heartbeat asks no database', async () => {
      await using house = await open();
      const asked: string[] = [];
      await using replica = await startReplica(house, {
        alter: ({ statusStore, friendStore }) => ({
          statusStore: watchCalls(statusStore, (name) => void asked.push(name)),
          friendStore: watchCalls(friendStore, (name) => void asked.push(name)),
        }),
      });
      using gateway = await playGateway(house);
      await gateway.settled();
      const ada = newUser('ada');
      await gateway.connect(ada);
      await waitFor(async () => (await house.statusStore.statusesOf([ada])).size === 1);
      // The announcement is over: what it asked was asked before.
      await replica.quiet();
      asked.length = 0;
      for (let beat = 0; beat < 20; beat += 1) {
        await gateway.heartbeat();
      }
      expect(asked.filter((name) => name !== 'recordAlive')).toEqual([]);
      // The listener works.
      await gateway.snapshots([ada]);
      expect(asked).toContain('friendsOf');
    });
  });

  describe('a snapshot', () => {
    it('has those friends who are online, and nobody else', async () => {
      await using house = await open();
      await using _replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob, cyd] = newUsers('ada', 'bob', 'cyd') as Three;
      const [stranger, asking, loner] = newUsers('stranger', 'asking', 'loner') as Three;
      const { friendStore, statusStore } = house;
      await befriend(house, ada, bob, cyd);
      await friendStore.request({
        _id: uuidv7() as FriendshipId,
        requesterId: asking,
        addresseeId: ada,
        createdAt: new Date().toISOString(),
      });
      await gateway.connect(ada, bob, stranger, asking);
      await waitFor(async () => {
        const statuses = await statusStore.statusesOf([ada, bob, stranger, asking]);
        return statuses.size === 4;
      });
      expect(await gateway.snapshots([ada, loner, bob, cyd])).toEqual({
        [ada]: [bob],
        [loner]: [],
        [bob]: [ada],
        [cyd]: [ada],
      });
    });

    it('shows what friends were told, and not who is in a grace', async () => {
      await using house = await open({ grace: 60_000 });
      await using _replica = await startReplica(house);
      using gateway = await playGateway(house);
      await gateway.settled();
      const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
      await befriend(house, ada, bob);
      await gateway.connect(ada, bob);
      await gateway.hears(ada, bob, ['online']);
      await gateway.disconnect([bob]);
      expect(await gateway.snapshots([ada])).toEqual({ [ada]: [bob] });
    });
  });
}
