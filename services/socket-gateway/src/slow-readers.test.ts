import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ConversationId,
  type GatewayId,
  type Message,
  type StatusChange,
  subjects,
} from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { heard, messageOf, newConversationId, startGateway } from './gateway-fixture.ts';
import { openPoller, openSlowSocket } from './slow-client-fixture.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

const MAX = 262_144;

async function metric(gateway: Gateway, name: string): Promise<number> {
  const { body } = await gateway.metrics.render();
  return Number(
    body
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

function message(conversationId: ConversationId, seq: number, length: number): Message {
  return messageOf(
    {
      kind: 'message',
      conversationId,
      senderId: 'bob',
      content: 'x'.repeat(length),
      clientMessageId: `m-${seq}`,
      socketId: 'elsewhere',
      ref: '1',
    } as never,
    seq,
  );
}

async function inRoom(gateway: Gateway, ...users: string[]): Promise<ConversationId> {
  const conversationId = newConversationId();
  for (const user of users) {
    gateway.memberships.set(user, [conversationId]);
  }
  return conversationId;
}

test('who stops reading in a busy room is cut off; the others hear everything in order', async () => {
  await using gateway = await startGateway({ SEND_BUFFER_MAX: MAX });
  const conversationId = await inRoom(gateway, 'slow', 'alice', 'bob');
  using slow = await openSlowSocket(gateway.url, gateway.token('slow'));
  const others = [
    await gateway.connect('alice'),
    await gateway.connect('bob', { transports: ['polling'] }),
  ];
  const lists = others.map((client) => heard<Message>(client, 'receive_message'));
  slow.stopReading();
  let sent = 0;
  // More than the kernel takes off a gateway's hands; at the pace of those who read.
  while ((await metric(gateway, 'bambochat_slow_readers_cut_total')) === 0 && sent < 4000) {
    for (let burst = 0; burst < 4; burst += 1) {
      sent += 1;
      const payload = message(conversationId, sent, 16_000);
      gateway.rooms.emitter.toConversation(conversationId, 'receive_message', payload);
    }
    await waitFor(() => lists.every((list) => list.length === sent), { interval: 1 });
  }
  expect(await metric(gateway, 'bambochat_slow_readers_cut_total')).toBe(1);
  expect(lists.map((list) => list.map(({ seq }) => seq))).toEqual(
    others.map(() => Array.from({ length: sent }, (_, index) => index + 1)),
  );
  expect(others.every((client) => client.connected)).toBe(true);
  // Its user left with it, at once, and may come back.
  await waitFor(() => !gateway.presence.users.has('slow'));
  slow.readOn();
  await waitFor(() => slow.isClosed());
  const back = heard<Message>(await gateway.connect('slow'), 'receive_message');
  const last = message(conversationId, sent + 1, 10);
  gateway.rooms.emitter.toConversation(conversationId, 'receive_message', last);
  await waitFor(() => back.length === 1 && lists.every((list) => list.length === sent + 1));
});

test('what waits for one connection never exceeds its bound, small packets included', async () => {
  await using gateway = await startGateway({ SEND_BUFFER_MAX: 65_536 });
  for (const [length, overhead] of [
    [4000, 10_000],
    [1, 1000],
  ] as const) {
    const user = `poller-${length}`;
    const conversationId = await inRoom(gateway, user);
    await openPoller(gateway.url, gateway.token(user));
    const before = await metric(gateway, 'bambochat_slow_readers_cut_total');
    let most = 0;
    let sent = 0;
    while ((await metric(gateway, 'bambochat_slow_readers_cut_total')) === before) {
      sent += 1;
      const payload = message(conversationId, sent, length);
      gateway.rooms.emitter.toConversation(conversationId, 'receive_message', payload);
      most += Buffer.byteLength(JSON.stringify(payload)) + 128;
      await nextTurn();
      expect(most).toBeLessThan(65_536 + overhead);
    }
    expect(sent).toBeGreaterThan(1);
    await waitFor(() => !gateway.presence.users.has(user));
  }
});

test('a slow poller that catches up in time has missed nothing', async () => {
  await using gateway = await startGateway({ SEND_BUFFER_MAX: 65_536 });
  const conversationId = await inRoom(gateway, 'poller');
  const poller = await openPoller(gateway.url, gateway.token('poller'));
  for (let round = 0; round < 3; round += 1) {
    for (let seq = 1; seq <= 10; seq += 1) {
      const payload = message(conversationId, round * 10 + seq, 4000);
      gateway.rooms.emitter.toConversation(conversationId, 'receive_message', payload);
    }
    let text = '';
    await waitFor(async () => {
      text += await poller.poll();
      return text.includes(`"m-${round * 10 + 10}"`);
    });
    expect(text.match(/"clientMessageId":"m-\d+"/g)).toHaveLength(10);
  }
  expect(await metric(gateway, 'bambochat_slow_readers_cut_total')).toBe(0);
});

test('who is behind is told who is online once it has caught up, and no changes before', async () => {
  await using gateway = await startGateway({ SEND_BUFFER_MAX: 65_536 });
  const conversationId = await inRoom(gateway, 'alice');
  const poller = await openPoller(gateway.url, gateway.token('alice'));
  const first = await gateway.connect('alice');
  const changes = heard(first, 'user_online_status');
  const messages = heard(first, 'receive_message');
  let text = poller.connect;
  while (!text.includes('presence_snapshot')) {
    text += await poller.poll();
  }
  for (let seq = 1; seq <= 8; seq += 1) {
    const payload = message(conversationId, seq, 4000);
    gateway.rooms.emitter.toConversation(conversationId, 'receive_message', payload);
  }
  // Another device of the same user keeps up.
  await waitFor(() => messages.length === 8);
  gateway.presence.friendsOnline.set('alice', ['bob']);
  gateway.bus.publish(subjects.statusChangesFor('gateway-1' as GatewayId), {
    changes: [
      {
        kind: 'change',
        userId: 'bob',
        online: true,
        lastSeenAt: new Date().toISOString(),
        changedAt: 1,
        to: ['alice'],
      } as unknown as StatusChange,
    ],
  });
  await waitFor(() => changes.length === 1);
  text = '';
  await waitFor(async () => {
    text += await poller.poll();
    return text.includes('["presence_snapshot",{"online":["bob"]}]');
  });
  expect(text).toContain('"m-8"');
  expect(text).not.toContain('user_online_status');
});
