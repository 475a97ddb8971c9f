import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { messageIn, newConversationId, seqsHeardBy } from './gateways.fixture.ts';
import { useRedisProcesses } from './redis-processes.fixture.ts';
import { readBroadcast } from './remote-broadcast.ts';
import { conversationRoom } from './room-names.ts';
import type { RemoteEvent } from './rooms.ts';

const { startProcess, startGatewayProcess, openRedis } = useRedisProcesses();

/** As the first version that was released sends it; what comes later may only add to it. */
function released(conversation: ReturnType<typeof newConversationId>, seq: number) {
  return {
    type: 3,
    data: {
      packet: { type: 2, data: ['receive_message', messageIn(conversation, seq)] as unknown[] },
      opts: {
        rooms: [conversationRoom(conversation)],
        except: [] as string[],
        flags: {} as Record<string, unknown>,
      },
    } as Record<string, unknown> & { packet: object; opts: { except: string[]; flags: object } },
    uid: 'another-process',
    nsp: '/',
  };
}

async function startListener() {
  const { gateway, rooms, log } = await startGatewayProcess();
  const conversation = newConversationId();
  const [device, other] = [await gateway.connect(), await gateway.connect()];
  device.join(conversation);
  other.join(conversation);
  await rooms.fence();
  const remote: RemoteEvent[] = [];
  rooms.onRemoteEvent((event) => remote.push(event));
  const redis = openRedis();
  const channel = `bambochat#/#${conversationRoom(conversation)}#`;
  return {
    conversation,
    device,
    other,
    remote,
    malformed: () => rooms.figures().redis?.malformed,
    log,
    send: (message: string | Buffer) => redis.spublish(channel, message),
  };
}

describe('messages of other versions and of nobody', () => {
  test('what older processes send is heard, with and without what was added since', async () => {
    const { conversation, device, remote, send } = await startListener();
    const newer = released(conversation, 2);
    Object.assign(newer.data.opts.flags, {
      message: { seq: 2, createdAt: '2026-01-01T00:00:00.000Z', more: 1 },
      somethingElse: true,
    });
    Object.assign(newer.data, { laterField: { a: 1 } });
    await send(JSON.stringify(released(conversation, 1)));
    await send(JSON.stringify(newer));
    await waitFor(() => device.heard.length === 2);
    expect(device.heard.map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ seq: 1, content: 'hello' }),
      expect.objectContaining({ seq: 2, content: 'hello' }),
    ]);
    expect(remote.map(({ message }) => message?.seq)).toEqual([undefined, 2]);
    expect(remote.map((event) => (event.payload() as { seq: number }).seq)).toEqual([1, 2]);
  });

  test('the order of the fields does not matter, nor a namespace in the packet', async () => {
    const { conversation, device, send } = await startListener();
    const { type, data, uid, nsp } = released(conversation, 1);
    await send(JSON.stringify({ uid, nsp, type, data }));
    await send(
      JSON.stringify({ type, data: { ...data, packet: { ...data.packet, nsp } }, uid, nsp }),
    );
    await waitFor(() => device.heard.length === 2);
    expect(seqsHeardBy(device)).toEqual([1, 1]);
  });

  test('the left-out socket is left out', async () => {
    const { conversation, device, other, send } = await startListener();
    const first = released(conversation, 1);
    first.data.opts.except.push(other.socket.id);
    await send(JSON.stringify(first));
    await send(JSON.stringify(released(conversation, 2)));
    await waitFor(() => device.heard.length === 2 && other.heard.length === 1);
    expect(seqsHeardBy(other)).toEqual([2]);
  });

  test('what cannot be understood is dropped, counted and logged, and harms nobody', async () => {
    const { conversation, device, malformed, log, send } = await startListener();
    const whole = JSON.stringify(released(conversation, 1));
    await send(whole.slice(0, -3));
    await send(whole.slice(0, 60));
    await send('{"type":3}}');
    await send('{');
    await send('');
    await send(Buffer.from([0xff, 0x00, 0x7b]));
    await send(whole);
    await waitFor(() => device.heard.length > 0);
    expect(seqsHeardBy(device)).toEqual([1]);
    expect(malformed()).toBe(4);
    expect(log).toContain('an event from another process was not understood');
  });
});

describe('events that are passed on without being parsed', () => {
  test.each([
    ['the end of a packet', ']},"opts":{"rooms":["conversation:x"]},"uid":"y"'],
    ['the same, escaped', '\\"]},\\"opts\\":{\\"rooms\\":['],
    ['every kind of character', '\u0000\u0007 grüße 👩‍👩‍👧 שלום \u2028 \ud800 \\ \\u0041 "]}'],
    ['what looks binary', `{"_placeholder":true,"num":0} 451-["x"] ${'\u00ff'.repeat(50)}`],
    ['a large one', '漢'.repeat(30_000)],
  ])('%s comes out as it went in, on WebSockets and by polling', async (_name, content) => {
    const { gateway, rooms } = await startGatewayProcess();
    const sender = await startProcess();
    const conversation = newConversationId();
    const devices = [
      await gateway.connect(),
      await gateway.connect(undefined, { transports: ['polling'] }),
    ];
    for (const device of devices) {
      device.join(conversation);
    }
    await rooms.fence();
    const messages = [1, 2].map((seq) => messageIn(conversation, seq, content));
    for (const message of messages) {
      sender.rooms.emitter.toConversation(conversation, 'receive_message', message);
    }
    for (const device of devices) {
      await waitFor(() => device.heard.length === 2);
      expect(device.heard.map(({ payload }) => payload)).toEqual(messages);
    }
  });

  test('what our own processes send takes that way', async () => {
    const sender = await startProcess();
    const redis = openRedis();
    const conversation = newConversationId();
    const heard: Buffer[] = [];
    redis.on('smessageBuffer', (_channel: Buffer, payload: Buffer) => heard.push(payload));
    await redis.ssubscribe(`bambochat#/#${conversationRoom(conversation)}#`);
    const message = messageIn(conversation, 7, '"]},"opts":{"rooms":["');
    sender.rooms.emitter.toConversation(conversation, 'receive_message', message, {
      exceptSocketId: 'a-socket',
      traceparent: 'a-trace',
    });
    await waitFor(() => heard.length === 1);
    const found = readBroadcast(heard[0] ?? Buffer.alloc(0));
    expect(found).toMatchObject({
      event: 'receive_message',
      nsp: '/',
      room: conversationRoom(conversation),
      flags: { message: { seq: 7, createdAt: message.createdAt }, traceparent: 'a-trace' },
      options: { except: new Set(['a-socket']) },
    });
    expect(found?.args.toString()).toBe(JSON.stringify(['receive_message', message]));
  });
});
