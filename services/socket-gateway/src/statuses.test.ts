import {
  type FriendEvent,
  type GatewayId,
  type StatusChange,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { describe, expect, test } from 'vitest';
import { heard, startGateway } from './gateway-fixture.ts';
import { createStatusFilter } from './status-filter.ts';

const lastSeenAt = '2026-01-01T00:00:00.000Z';

function change(over: Partial<Record<keyof StatusChange, unknown>> = {}): StatusChange {
  return {
    kind: 'change',
    userId: 'bob',
    online: true,
    lastSeenAt,
    changedAt: 1,
    to: ['alice'],
    ...over,
  } as StatusChange;
}

describe('what a receiver is told', () => {
  const alice = 'alice' as UserId;

  function told(...changes: StatusChange[]) {
    const filter = createStatusFilter({ max: 100, ttl: 60_000 });
    return changes.flatMap((next) => {
      const admitted = filter.admit(alice, next);
      return admitted === null ? [] : [`${admitted.online ? 'on' : 'off'}@${admitted.changedAt}`];
    });
  }
  const on = (changedAt: number) => change({ online: true, changedAt });
  const off = (changedAt: number) => change({ online: false, changedAt });
  const hide = (changedAt: number) => change({ kind: 'hide', online: false, changedAt });
  const reveal = (changedAt: number) => change({ kind: 'reveal', online: true, changedAt });

  test('each change once and in order: repeated and late ones are dropped', () => {
    expect(told(on(1), on(1), off(2), on(1), off(2), on(3))).toEqual(['on@1', 'off@2', 'on@3']);
  });

  test('the end of a friendship once, and nothing after it', () => {
    expect(told(on(1), hide(1), hide(1), on(1), off(2), on(3))).toEqual(['on@1', 'off@1']);
    expect(told(hide(4), on(3), on(4), on(5))).toEqual(['off@4']);
    expect(told(off(2), hide(2), on(3))).toEqual(['off@2']);
    expect(told(off(2), hide(3))).toEqual(['off@2', 'off@3']);
  });

  test('a new friendship, also with the status that was hidden, and what changes after it', () => {
    expect(told(on(1), hide(1), reveal(1), off(2))).toEqual(['on@1', 'off@1', 'on@1', 'off@2']);
    expect(told(reveal(1), reveal(1), off(2))).toEqual(['on@1', 'off@2']);
  });

  test('nothing of a new friendship that a later change has outrun', () => {
    expect(told(off(2), reveal(1))).toEqual(['off@2']);
    expect(told(on(1), hide(1), off(2), reveal(1), on(3))).toEqual(['on@1', 'off@1', 'on@3']);
    expect(told(on(1), hide(1), off(2), on(3), hide(3), reveal(1))).toEqual([
      'on@1',
      'off@1',
      'on@3',
    ]);
  });

  test('others hear the same change for themselves', () => {
    const filter = createStatusFilter({ max: 100, ttl: 60_000 });
    expect(filter.admit(alice, on(1))).not.toBeNull();
    expect(filter.admit('erin' as UserId, on(1))).not.toBeNull();
    expect(filter.admit(alice, on(1))).toBeNull();
  });
});

async function startWithDevices() {
  const gateway = await startGateway();
  const open = async (userId: string) => {
    const client = await gateway.connect(userId);
    return { client, statuses: heard(client, 'user_online_status') };
  };
  const devices = {
    phone: await open('alice'),
    laptop: await open('alice'),
    erin: await open('erin'),
    stranger: await open('mallory'),
  };
  return {
    gateway,
    devices,
    announce(...changes: StatusChange[]) {
      const subject = subjects.statusChangesFor('gateway-1' as GatewayId);
      gateway.bus.publish(subject, { changes });
    },
    announceToAll(...changes: StatusChange[]) {
      gateway.bus.publish(subjects.statusChanges, { changes });
    },
    /** Sends something to everybody and returns what came before it. */
    async statuses() {
      const marker = change({
        userId: 'marker',
        changedAt: Date.now(),
        to: ['alice', 'erin', 'mallory'],
      });
      this.announce(marker);
      const { userId, online } = marker;
      await waitFor(() =>
        Object.values(devices).every(({ statuses }) =>
          statuses.some((status) => (status as StatusChange).userId === 'marker'),
        ),
      );
      return Object.fromEntries(
        Object.entries(devices).map(([name, { statuses }]) => {
          expect(statuses.at(-1)).toEqual({ userId, online, lastSeenAt });
          return [name, statuses.slice(0, -1)];
        }),
      );
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

test('a status reaches all devices of the users it is for, and nobody else', async () => {
  await using it = await startWithDevices();
  it.announce(
    change({ to: ['alice', 'absent'] }),
    change({ userId: 'carol', online: false, to: ['alice', 'erin'] }),
  );
  const bob = { userId: 'bob', online: true, lastSeenAt };
  const carol = { userId: 'carol', online: false, lastSeenAt };
  expect(await it.statuses()).toEqual({
    phone: [bob, carol],
    laptop: [bob, carol],
    erin: [carol],
    stranger: [],
  });
});

test('each gateway tells its own sockets: what is sent to one is not heard on another', async () => {
  const rooms = createMemoryRooms();
  const shared = { rooms: { ...rooms, stop: async () => {} } };
  const there = { ...shared, gatewayId: 'gateway-2' as GatewayId };
  await using first = await startGateway({}, shared);
  await using second = await startGateway({}, there, first.bus);
  const [here, far] = [await first.connect('alice'), await second.connect('alice')];
  const all = [here, far].map((client) => heard(client, 'user_online_status'));
  const publish = (gatewayId: string, next: StatusChange) =>
    first.bus.publish(subjects.statusChangesFor(gatewayId as GatewayId), { changes: [next] });
  publish('gateway-1', change());
  publish('gateway-2', change({ userId: 'carol' }));
  first.bus.publish(subjects.statusChanges, { changes: [change({ userId: 'marker' })] });
  const named = () =>
    all.map((statuses) => statuses.map((status) => (status as StatusChange).userId as string));
  await waitFor(() => named().every((userIds) => userIds.includes('marker')));
  expect(named()).toEqual([
    ['bob', 'marker'],
    ['carol', 'marker'],
  ]);
});

test('an announcement to all gateways counts as the same as one to this gateway', async () => {
  await using it = await startWithDevices();
  it.announce(change({ changedAt: 3 }));
  it.announceToAll(change({ changedAt: 3 }), change({ kind: 'hide', online: false, changedAt: 3 }));
  it.announce(change({ online: false, changedAt: 4 }), change({ online: true, changedAt: 5 }));
  it.announceToAll(
    change({ kind: 'reveal', changedAt: 3, lastSeenAt: '2025-01-01T00:00:00.000Z' }),
  );
  const { phone, erin } = await it.statuses();
  expect(phone).toEqual([
    { userId: 'bob', online: true, lastSeenAt },
    { userId: 'bob', online: false, lastSeenAt },
    // Revealed is the later change that was withheld.
    { userId: 'bob', online: true, lastSeenAt },
  ]);
  expect(erin).toEqual([]);
  const { body } = await it.gateway.metrics.render();
  expect(body).toContain('bambochat_statuses_total{outcome="dropped"} 3');
});

test('an announcement that is none is left out, the next is heard', async () => {
  await using it = await startWithDevices();
  it.gateway.bus.publish(subjects.statusChanges, { changes: [{ userId: 'bob' }] });
  it.gateway.bus.publish(subjects.friendEvents, { to: 'alice', event: 'chat_error', payload: {} });
  it.announce(change());
  expect((await it.statuses()).phone).toHaveLength(1);
});

test('friend events reach every device of the one they are for', async () => {
  await using it = await startWithDevices();
  const requests = Object.entries(it.devices).map(
    ([name, { client }]) =>
      [name, heard(client, 'friend_request'), heard(client, 'friend_request_update')] as const,
  );
  const friendship = {
    _id: uuidv7() as FriendEvent['payload']['_id'],
    requesterId: 'bob' as UserId,
    addresseeId: 'alice' as UserId,
    createdAt: lastSeenAt,
  };
  const request = {
    ...friendship,
    status: 'pending' as const,
    requester: { _id: 'bob' as UserId, displayName: 'Bob', avatar: null },
  };
  const update = { ...friendship, status: 'rejected' as const };
  const events: FriendEvent[] = [
    { to: 'alice' as UserId, event: 'friend_request', payload: request },
    { to: 'erin' as UserId, event: 'friend_request_update', payload: update },
  ];
  for (const event of events) {
    it.gateway.bus.publish(subjects.friendEvents, event);
  }
  await it.statuses();
  expect(requests).toEqual([
    ['phone', [request], []],
    ['laptop', [request], []],
    ['erin', [], [update]],
    ['stranger', [], []],
  ]);
});
