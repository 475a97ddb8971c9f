import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { messageIn, newConversationId, seqsHeardBy } from './gateways.fixture.ts';
import { answers, type Process, useRedisProcesses } from './redis-processes.fixture.ts';
import { conversationRoom } from './room-names.ts';

const { redis, startProcess, startGatewayProcess, openRedis } = useRedisProcesses();

function say({ rooms }: Process, seq = 1): void {
  const conversation = newConversationId();
  rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, seq));
}

const isAway = ({ rooms }: Process) =>
  waitFor(() =>
    rooms.check().then(
      () => false,
      () => true,
    ),
  );

test('a process whose publisher alone was away says so once it is back, without another emit', async () => {
  const sender = await startProcess({ name: 'lonely', maxRetryDelay: 2_000 });
  const before = Date.now();
  await openRedis().call('CLIENT', 'KILL', 'ID', await idOf('lonely-publisher'));
  await isAway(sender);
  say(sender);
  say(sender);
  await waitFor(() => sender.emitsLost.length > 0);
  expect(sender.dropped()).toBe(2);
  expect(sender.interruptions).toEqual([]);
  expect(sender.emitsLost).toEqual([
    { reason: expect.stringMatching(/\S/), since: expect.any(Number) },
  ]);
  expect(sender.emitsLost[0]?.since).toBeGreaterThanOrEqual(before);
  expect(sender.emitsLost[0]?.since).toBeLessThanOrEqual(Date.now());
});

test('a process that has emitted nothing meanwhile says nothing', async () => {
  const [quiet, sender] = [await startProcess(), await startProcess()];
  await redis().kill();
  await Promise.all([isAway(quiet), isAway(sender)]);
  say(sender);
  await redis().restart();
  await Promise.all([answers(quiet.rooms), answers(sender.rooms)]);
  await waitFor(() => sender.emitsLost.length > 0);
  await waitFor(() => quiet.interruptions.length > 0);
  expect(quiet.emitsLost).toEqual([]);
});

test('emits that hang with Redis until the connection is given up count as lost', async () => {
  const sender = await startProcess();
  await redis().pause();
  say(sender);
  await waitFor(() => sender.dropped() > 0);
  expect(sender.emitsLost).toEqual([]);
  await redis().resume();
  await waitFor(() => sender.emitsLost.length > 0);
  expect(sender.emitsLost).toHaveLength(1);
});

test('emits beyond what may hang with Redis count as lost when it goes on', async () => {
  const sender = await startProcess({
    maxPendingEmits: 3,
    pingInterval: 60_000,
    pingTimeout: 60_000,
  });
  await redis().pause();
  for (let seq = 1; seq <= 5; seq += 1) {
    say(sender, seq);
  }
  expect(sender.dropped()).toBe(2);
  await redis().resume();
  await waitFor(() => sender.emitsLost.length > 0);
  expect(sender.emitsLost).toHaveLength(1);
});

test('what other processes emit into rooms of this one is told before the sockets hear it', async () => {
  const { gateway, rooms } = await startGatewayProcess();
  const sender = await startProcess();
  const [here, elsewhere] = [newConversationId(), newConversationId()];
  const device = await gateway.connect();
  device.join(here);
  await rooms.fence();
  const told: unknown[] = [];
  const listening = rooms.onRemoteEvent(({ payload, ...event }) =>
    told.push({ ...event, payload: payload(), heard: device.heard.length }),
  );
  const message = messageIn(here, 1);
  sender.rooms.emitter.toConversation(elsewhere, 'receive_message', messageIn(elsewhere, 1));
  sender.rooms.emitter.toConversation(here, 'receive_message', message);
  await waitFor(() => device.heard.length > 0);
  expect(told).toEqual([
    {
      event: 'receive_message',
      room: conversationRoom(here),
      message: { seq: 1, createdAt: message.createdAt },
      payload: message,
      heard: 0,
    },
  ]);

  // Its own events are no news to a process.
  rooms.emitter.toConversation(here, 'receive_message', messageIn(here, 2));
  await waitFor(() => device.heard.length > 1);
  listening.unsubscribe();
  sender.rooms.emitter.toConversation(here, 'receive_message', messageIn(here, 3));
  await waitFor(() => device.heard.length > 2);
  expect(seqsHeardBy(device)).toEqual([1, 2, 3]);
  expect(told).toHaveLength(1);
});

/** Of the connection that has this name. */
async function idOf(name: string): Promise<string> {
  const list = String(await openRedis().call('CLIENT', 'LIST'));
  const line = list.split('\n').find((entry) => entry.includes(` name=${name} `));
  return /\bid=(\d+)/.exec(line ?? '')?.[1] ?? '';
}
