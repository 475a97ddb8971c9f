import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { type GatewayId, type StatusChange, subjects } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import type { Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { heard, startGateway } from './gateway-fixture.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;
type Snapshot = { online: string[] };

/** Connects, having listened for snapshots from the beginning. */
async function connectHearing(gateway: Gateway, userId: string) {
  const client = gateway.open({ auth: { token: gateway.token(userId) }, autoConnect: false });
  const snapshots = heard<Snapshot>(client, 'presence_snapshot');
  const connected = new Promise<void>((resolve) => client.once('connect', resolve));
  client.connect();
  await connected;
  return { client, snapshots };
}

function announce(
  gateway: Gateway,
  change: { userId: string; online: boolean; changedAt: number; to: string[] } & Partial<
    Pick<StatusChange, 'kind'>
  >,
) {
  gateway.bus.publish(subjects.statusChangesFor('gateway-1' as GatewayId), {
    changes: [{ kind: 'change', lastSeenAt: '2026-01-01T00:00:00.000Z', ...change }],
  });
}

/** Resolves when everything that was sent to the client before has arrived. */
async function flush(client: Socket) {
  await client.emitWithAck('leave_conversation', {});
}

test('only the first and the last device of a user are reported', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  const phone = await gateway.connect('alice');
  await waitFor(() => presence.users.has('alice'));
  const laptop = await gateway.connect('alice');
  phone.disconnect();
  await gateway.connect('bob');
  await waitFor(() => presence.users.has('bob'));
  expect([presence.told('connected'), presence.told('disconnected')]).toEqual([
    ['alice', 'bob'],
    [],
  ]);
  laptop.disconnect();
  await waitFor(() => !presence.users.has('alice'));
  expect(presence.told('disconnected')).toEqual(['alice']);
});

test('a socket gets one snapshot, when its user is known, the second device as well', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  presence.friendsOnline.set('alice', ['bob', 'carol']);
  const reported = Promise.withResolvers<void>();
  presence.script.beforeReport = () => reported.promise;
  const phone = await connectHearing(gateway, 'alice');
  await waitFor(() => presence.told('connected').length === 1);
  await flush(phone.client);
  expect([presence.snapshotRequests, phone.snapshots]).toEqual([[], []]);
  reported.resolve();
  await waitFor(() => phone.snapshots.length === 1);
  const laptop = await connectHearing(gateway, 'alice');
  await waitFor(() => laptop.snapshots.length === 1);
  const [stranger] = [await connectHearing(gateway, 'mallory')];
  await waitFor(() => stranger.snapshots.length === 1);
  const exact = [{ online: ['bob', 'carol'] }];
  expect([phone.snapshots, laptop.snapshots, stranger.snapshots]).toEqual([
    exact,
    exact,
    [{ online: [] }],
  ]);
});

test('changes while a snapshot is asked for override it', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  presence.friendsOnline.set('alice', ['bob', 'carol']);
  presence.script.beforeSnapshots = async () => {
    announce(gateway, { userId: 'bob', online: false, changedAt: 5, to: ['alice'] });
    announce(gateway, { userId: 'dave', online: true, changedAt: 6, to: ['alice', 'erin'] });
    announce(gateway, { userId: 'carol', online: false, changedAt: 7, to: ['erin'] });
    await gateway.bus.flush();
  };
  const { snapshots } = await connectHearing(gateway, 'alice');
  await waitFor(() => snapshots.length === 1);
  expect(snapshots).toEqual([{ online: ['carol', 'dave'] }]);
});

test('snapshots are asked for together, and those that an answer left out once more', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  const reported = Promise.withResolvers<void>();
  presence.script.beforeReport = () => reported.promise;
  presence.script.snapshotsMax = 2;
  const names = ['alice', 'bob', 'carol', 'dave', 'erin'];
  for (const name of names) {
    presence.friendsOnline.set(name, [`friend-of-${name}`]);
  }
  const users = await Promise.all(names.map((name) => connectHearing(gateway, name)));
  reported.resolve();
  await waitFor(() => users.every(({ snapshots }) => snapshots.length === 1));
  expect(users.map(({ snapshots }) => snapshots[0]?.online)).toEqual(
    names.map((name) => [`friend-of-${name}`]),
  );
  await flush((users[0] as (typeof users)[0]).client);
  expect(users.every(({ snapshots }) => snapshots.length === 1)).toBe(true);
  const asked = presence.snapshotRequests.reduce((total, { userIds }) => total + userIds.length, 0);
  expect(asked).toBeGreaterThan(5);
  expect(presence.snapshotRequests.length).toBeLessThan(5);
});

test('without presence-service the chat works, and presence comes later', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  presence.goAway();
  presence.friendsOnline.set('alice', ['bob']);
  const { client, snapshots } = await connectHearing(gateway, 'alice');
  const passing = await gateway.connect('carol');
  expect(
    await client.emitWithAck('send_message', {
      conversationId: '01890a5d-ac96-774b-bcce-b302099a8057',
      content: 'hello',
    }),
  ).toMatchObject({ success: true });
  passing.disconnect();
  await waitFor(async () => {
    const { body } = await gateway.metrics.render();
    return body.includes('bambochat_disconnects_total{reason="client namespace disconnect"} 1');
  });
  expect(snapshots).toEqual([]);
  presence.comeBack();
  await waitFor(() => snapshots.length === 1);
  expect(snapshots).toEqual([{ online: ['bob'] }]);
  expect([presence.told('connected'), presence.told('disconnected')]).toEqual([['alice'], []]);
});

test('a snapshot that fails is asked for again', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  presence.script.beforeSnapshots = async () => {
    presence.script.beforeSnapshots = async () => {};
    throw new Error('broken');
  };
  presence.friendsOnline.set('alice', ['bob']);
  const { snapshots } = await connectHearing(gateway, 'alice');
  await waitFor(() => snapshots.length === 1);
  expect(snapshots).toEqual([{ online: ['bob'] }]);
  expect(presence.snapshotRequests).toHaveLength(2);
});

test.for([
  { settled: true, fresh: [{ online: ['bob'] }, { online: ['carol'] }] },
  { settled: false, fresh: [{ online: ['bob'] }] },
])(
  'who was lost to presence-service gets a fresh snapshot: $settled',
  async (expected, context) => {
    await using gateway = await startGateway();
    const { presence } = gateway;
    presence.script.settled = expected.settled;
    presence.friendsOnline.set('alice', ['bob']);
    const { client, snapshots } = await connectHearing(gateway, 'alice');
    await waitFor(() => snapshots.length === 1);
    presence.users.clear();
    presence.friendsOnline.set('alice', ['carol']);
    // Its report shows the difference; two users may share a part of the roster.
    const marker = await connectHearing(gateway, 'marker');
    await waitFor(() => presence.users.size === 2 && marker.snapshots.length > 0);
    if (expected.settled) {
      await waitFor(() => snapshots.length === 2);
    }
    await flush(client);
    context.expect(snapshots).toEqual(expected.fresh);
  },
);

test('after a lost connection to the bus everybody gets a fresh snapshot', async () => {
  const bus = createMemoryEventBus();
  const listeners: (() => void)[] = [];
  await using gateway = await startGateway(
    {},
    {
      bus: {
        ...bus,
        onReconnect(listener) {
          listeners.push(listener);
          return { unsubscribe() {} };
        },
      },
    },
    bus,
  );
  const { presence } = gateway;
  presence.friendsOnline.set('alice', ['bob']);
  const devices = [await connectHearing(gateway, 'alice'), await connectHearing(gateway, 'alice')];
  const other = await connectHearing(gateway, 'erin');
  const all = [...devices, other];
  await waitFor(() => all.every(({ snapshots }) => snapshots.length === 1));
  presence.friendsOnline.set('alice', ['carol']);
  const reports = presence.reports.length;
  for (const listener of listeners) {
    listener();
  }
  await waitFor(() => all.every(({ snapshots }) => snapshots.length === 2));
  expect(presence.reports).toHaveLength(reports + 1);
  expect(all.map(({ snapshots }) => snapshots[1])).toEqual([
    { online: ['carol'] },
    { online: ['carol'] },
    { online: [] },
  ]);
});

test('a drain closes the sockets and reports the departures before it ends', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  const client = await gateway.connect('alice');
  await gateway.connect('bob');
  await waitFor(() => presence.users.size === 2);
  const closed = new Promise((resolve) => client.once('disconnect', resolve));
  await gateway.gateway.drain();
  expect(presence.users.size).toBe(0);
  expect(presence.told('disconnected').toSorted()).toEqual(['alice', 'bob']);
  expect(await closed).toBe('transport close');
});

test('a drain reports also who does not read, and so cannot be closed at once', async () => {
  await using gateway = await startGateway();
  const { presence } = gateway;
  const polling = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(polling)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const body = `40${JSON.stringify({ token: gateway.token('alice') })}`;
  await fetch(`${polling}&sid=${sid}`, { method: 'POST', body });
  await waitFor(() => presence.users.has('alice'));
  await gateway.gateway.drain();
  expect(presence.users.size).toBe(0);
});
