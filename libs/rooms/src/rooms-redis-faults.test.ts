import { createServer } from 'node:net';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { type Gateway, messageIn, newConversationId, seqsHeardBy } from './gateways.fixture.ts';
import { answers, unavailable, useRedisProcesses } from './redis-processes.fixture.ts';
import { conversationRoom } from './room-names.ts';

const { redis, startProcess, startGatewayProcess, openRedis } = useRedisProcesses();

test('after a killed Redis is back, old rooms and rooms joined meanwhile hear, left ones are gone', async () => {
  const { gateway, rooms, interruptions } = await startGatewayProcess();
  const sender = await startProcess();
  const [before, meanwhile, left] = [newConversationId(), newConversationId(), newConversationId()];
  const device = await gateway.connect();
  device.join(before, left);
  await rooms.fence();

  for (const round of [1, 2]) {
    await redis().kill();
    await waitFor(() =>
      rooms.check().then(
        () => false,
        () => true,
      ),
    );
    device.join(meanwhile);
    device.leave(left);
    expect(interruptions).toHaveLength(round - 1);
    await redis().restart();
    await Promise.all([answers(rooms), answers(sender.rooms)]);
    await rooms.fence();

    await waitFor(() => interruptions.length >= round);
    sender.rooms.emitter.toConversation(left, 'receive_message', messageIn(left, 100));
    sender.rooms.emitter.toConversation(before, 'receive_message', messageIn(before, round));
    sender.rooms.emitter.toConversation(meanwhile, 'receive_message', messageIn(meanwhile, round));
    await waitFor(() => device.heard.length >= 2 * round);
  }

  const { redis: figures } = rooms.figures();
  expect(figures?.interruptions).toBe(2);
  expect(figures?.connections).toEqual([
    { role: 'publisher', ready: true, connects: 3 },
    { role: 'subscriber', ready: true, connects: 3 },
  ]);
  // Those that are wanted now were wanted both times.
  expect(figures?.subscriptions).toBeGreaterThanOrEqual(3);
  expect(figures?.resubscriptions).toBe(2 * (figures?.subscriptions ?? 0));
  expect(seqsHeardBy(device)).toEqual([1, 1, 2, 2]);
  expect(interruptions).toEqual([expect.any(String), expect.any(String)]);
  const channels = (await openRedis().call('PUBSUB', 'SHARDCHANNELS', '*')) as string[];
  expect(channels).toContain(`bambochat#/#${conversationRoom(before)}#`);
  expect(channels).not.toContain(`bambochat#/#${conversationRoom(left)}#`);
});

test('rooms joined during more failed attempts than a client usually makes are not deaf', async () => {
  const { gateway, rooms } = await startGatewayProcess({ maxRetryDelay: 10 });
  const sender = await startProcess({ maxRetryDelay: 10 });
  const device = await gateway.connect();
  await redis().kill();
  // In its place, something that refuses every connection and counts: ioredis lets queued commands
  // fail after 20 retries, and a second time after 40.
  let attempts = 0;
  const refusing = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) =>
    refusing.listen(Number(new URL(redis().url).port), '127.0.0.1', resolve),
  );
  const conversations = Array.from({ length: 300 }, newConversationId);

  await waitFor(
    () => {
      const next = conversations.find((id) => !device.socket.rooms.has(conversationRoom(id)));
      if (next) {
        device.join(next);
      }
      // Four connections, two processes.
      return attempts > 4 * 45 && !next;
    },
    { timeout: 25_000, interval: 1 },
  );
  await expect(rooms.fence()).rejects.toEqual(unavailable);

  await new Promise((resolve) => refusing.close(resolve));
  await redis().restart();
  await Promise.all([answers(rooms), answers(sender.rooms)]);
  await rooms.fence();
  for (const [seq, conversation] of conversations.entries()) {
    sender.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, seq),
    );
  }
  await waitFor(() => device.heard.length >= conversations.length);
  expect(seqsHeardBy(device)).toEqual(conversations.map((_, seq) => seq));
});

test('a Redis that hangs is noticed, and healed when it goes on', async () => {
  const { gateway, rooms, interruptions, log } = await startGatewayProcess();
  const sender = await startProcess();
  const conversation = newConversationId();
  const device = await gateway.connect();
  device.join(conversation);
  await rooms.fence();

  await redis().pause();
  await expect(rooms.fence()).rejects.toEqual(unavailable);
  await expect(rooms.check()).rejects.toThrow(
    /Redis at redis:\/\/127\.0\.0\.1:\d+ does not answer/,
  );
  // Both connections, and attempts that the kernel accepts but nobody answers.
  await waitFor(
    () => log.filter((line) => line === 'a connection to Redis is given up').length >= 4,
  );
  expect(interruptions).toEqual([]);
  await redis().resume();

  await Promise.all([answers(rooms), answers(sender.rooms)]);
  await waitFor(() => interruptions.length > 0);
  await rooms.fence();
  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
  await waitFor(() => device.heard.length > 0);
  expect(seqsHeardBy(device)).toEqual([1]);
  expect(interruptions).toHaveLength(1);
});

test.each([
  ['away', () => redis().kill(), () => redis().restart()],
  ['hanging', () => redis().pause(), () => redis().resume()],
])('with Redis %s, sockets of one gateway hear each other at once', async (_, fail, heal) => {
  // Nothing here gives up by itself: what arrives did not wait for a timeout.
  const { gateway, rooms, dropped } = await startGatewayProcess({
    pingInterval: 600_000,
    pingTimeout: 600_000,
    maxRetryDelay: 600_000,
  });
  const conversation = newConversationId();
  const [typist, other] = [await gateway.connect(), await gateway.connect()];
  typist.join(conversation);
  other.join(conversation);
  await rooms.fence();
  await fail();
  try {
    const typing = { conversationId: conversation, isTyping: true };
    typist.socket.to(conversationRoom(conversation)).emit('typing', typing);
    rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
    await waitFor(() => other.heard.length >= 2);
    expect(other.heard[0]).toEqual({ event: 'typing', payload: typing });
    expect(seqsHeardBy(typist)).toEqual([1]);
    expect(dropped()).toBeLessThanOrEqual(2);
  } finally {
    await heal();
  }
});

test('what is emitted while Redis is away is dropped and counted, never sent later', async () => {
  const { gateway, rooms } = await startGatewayProcess();
  const sender = await startProcess();
  const conversation = newConversationId();
  const device = await gateway.connect();
  device.join(conversation);
  await rooms.fence();
  await redis().kill();
  await waitFor(() =>
    sender.rooms.check().then(
      () => false,
      () => true,
    ),
  );

  for (let seq = 1; seq <= 20_000; seq += 1) {
    sender.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, seq),
    );
  }
  await waitFor(() => sender.dropped() >= 20_000);
  await redis().restart();
  await Promise.all([answers(rooms), answers(sender.rooms)]);
  await rooms.fence();
  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 0));

  await waitFor(() => device.heard.length > 0);
  expect(seqsHeardBy(device)).toEqual([0]);
  expect(sender.dropped()).toBe(20_000);
  // The log tells it once, not 20,000 times.
  expect(sender.log.filter((line) => line.includes('are dropped'))).toHaveLength(1);
  await waitFor(() => sender.log.includes('live events reach Redis again'));
});

test('while Redis hangs, no more than the bound is kept, in order, and goes out if it wakes up', async () => {
  const patient = { pingInterval: 60_000, pingTimeout: 60_000 };
  const { gateway, rooms, interruptions } = await startGatewayProcess(patient);
  const sender = await startProcess({ ...patient, maxPendingEmits: 100 });
  const conversation = newConversationId();
  const device = await gateway.connect();
  device.join(conversation);
  await rooms.fence();

  await redis().pause();
  for (let seq = 1; seq <= 20_000; seq += 1) {
    sender.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, seq),
    );
  }
  await waitFor(() => sender.dropped() >= 19_900);
  await redis().resume();

  await waitFor(() => device.heard.length >= 100);
  await answers(sender.rooms);
  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 0));
  await waitFor(() => seqsHeardBy(device).includes(0));
  expect(seqsHeardBy(device)).toEqual([...Array.from({ length: 100 }, (_, index) => index + 1), 0]);
  expect(sender.dropped()).toBe(19_900);
  expect(interruptions).toEqual([]);
});

test('what hangs with Redis is dropped once, when the connection is given up', async () => {
  const sender = await startProcess({ maxPendingEmits: 100 });
  const conversation = newConversationId();
  await redis().pause();
  try {
    for (let seq = 1; seq <= 1_000; seq += 1) {
      sender.rooms.emitter.toConversation(
        conversation,
        'receive_message',
        messageIn(conversation, seq),
      );
    }
    await waitFor(() => sender.dropped() >= 1_000);
  } finally {
    await redis().resume();
  }
  await answers(sender.rooms);
  expect(sender.dropped()).toBe(1_000);
});

test('stopping waits for the last emits', async () => {
  const patient = { pingInterval: 60_000, pingTimeout: 60_000 };
  const sender = await startProcess({ ...patient, commandTimeout: 60_000 });
  const observer = await startProcess({ ...patient, commandTimeout: 300 });
  const conversation = newConversationId();
  await redis().pause();
  for (let seq = 1; seq <= 10; seq += 1) {
    sender.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, seq),
    );
  }
  const stopping = sender.rooms.stop();
  // Longer than a connection takes to say goodbye.
  await expect(observer.rooms.check()).rejects.toThrow('does not answer');
  await redis().resume();
  await stopping;
  expect(sender.dropped()).toBe(0);
});

test('a subscription that Redis refuses is made again until it is taken', async () => {
  const admin = openRedis();
  const { gateway, rooms } = await startGatewayProcess();
  const sender = await startProcess();
  const conversation = newConversationId();
  const device = await gateway.connect();
  await rooms.fence();
  await admin.call('ACL', 'SETUSER', 'default', '-ssubscribe');
  try {
    device.join(conversation);
    await expect(rooms.fence()).rejects.toEqual(unavailable);
  } finally {
    await admin.call('ACL', 'SETUSER', 'default', '+ssubscribe');
  }

  await waitFor(() => rooms.fence().then(() => true));
  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
  await waitFor(() => device.heard.length > 0);
  expect(seqsHeardBy(device)).toEqual([1]);
});

test('a process that was busy for longer than a ping may take keeps its connections', async () => {
  const pingTimeout = 1_000;
  const { rooms, interruptions, log } = await startGatewayProcess({
    pingInterval: 20,
    pingTimeout,
    commandTimeout: 200,
  });
  await redis().pause();
  // Now pings are on their way.
  await expect(rooms.check()).rejects.toThrow('does not answer');
  // From here on timers come before sockets, and what Redis answers is read after the busy time.
  await new Promise((resolve) => setImmediate(resolve));
  process.kill(redis().pid ?? 0, 'SIGCONT');
  const until = performance.now() + 1.5 * pingTimeout;
  while (performance.now() < until) {
    // Busy: the answers are there and cannot be read.
  }
  await redis().resume();
  await rooms.fence();
  await rooms.check();
  expect(interruptions).toEqual([]);
  expect(log).toEqual(['connected to Redis', 'connected to Redis']);
});

test('an emit stays on the channel of its room, with an exception too', async () => {
  const channelPrefix = 'spied';
  const { gateway, rooms } = await startGatewayProcess({ channelPrefix });
  const sender = await startProcess({ channelPrefix });
  const spy = openRedis();
  const everybody: string[] = [];
  spy.on('smessage', (_channel: string, payload: string) => everybody.push(payload));
  await spy.ssubscribe(`${channelPrefix}#/#`);
  const conversation = newConversationId();
  const device = await gateway.connect('fifteen.letters' as Parameters<Gateway['connect']>[0]);
  device.join(conversation);
  await rooms.fence();

  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1), {
    exceptSocketId: 'Zk3vX-_4bWc1AAAB_x9-',
  });
  sender.rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 2));
  sender.rooms.emitter.toUser(device.socket.handshake.auth.userId, 'resync', { reason: 'test' });

  await waitFor(() => device.heard.length >= 3);
  await openRedis().spublish(`${channelPrefix}#/#`, 'the last');
  await waitFor(() => everybody.length > 0);
  expect(everybody).toEqual(['the last']);
});

test('a process without sockets subscribes to nothing, a gateway to its own rooms only', async () => {
  const channelPrefix = 'counted';
  const sender = await startProcess({ channelPrefix });
  const conversations = [newConversationId(), newConversationId()] as const;
  const admin = openRedis();
  const channels = async () =>
    ((await admin.call('PUBSUB', 'SHARDCHANNELS', `${channelPrefix}*`)) as string[]).length;
  for (const conversation of conversations) {
    sender.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, 1),
    );
  }
  await sender.rooms.fence();
  expect(await channels()).toBe(0);

  const { gateway, rooms } = await startGatewayProcess({ channelPrefix });
  const device = await gateway.connect();
  device.join(conversations[0]);
  await rooms.fence();
  // The namespace, answers to this server, the user and one conversation; not the socket's own room.
  expect(await channels()).toBe(4);

  device.client.disconnect();
  await waitFor(async () => (await channels()) === 2);
});

test('asking other processes is refused clearly', async () => {
  const { gateway } = await startGatewayProcess();
  await expect(gateway.io.fetchSockets()).rejects.toThrow('Rooms do not ask other processes');
});
