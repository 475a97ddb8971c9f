import { subjects } from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { createRedisRooms } from '@bambochat/rooms/redis';
import { startBackends, waitFor } from '@bambochat/testing';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heard, newConversationId, startGateway } from './gateway-fixture.ts';

interface Adapter {
  /** One for each gateway; they hear each other. */
  open(): Promise<Rooms>;
  close(): Promise<void>;
}

const adapters: Record<string, () => Promise<Adapter>> = {
  async memory() {
    const rooms = createMemoryRooms();
    return { open: async () => ({ ...rooms, stop: async () => {} }), close: () => rooms.stop() };
  },
  async redis() {
    const backends = await startBackends({ names: ['redis'] });
    return {
      open: () => createRedisRooms({ url: backends.redis.url }),
      close: () => backends.stop(),
    };
  },
};

const interval = 60_000;

describe.for(Object.entries(adapters))('typing on two gateways, rooms in %s', ([, start]) => {
  let adapter: Adapter;

  beforeAll(async () => {
    adapter = await start();
  });

  afterAll(async () => {
    await adapter?.close();
  });

  /** Alice here, Bob here and there; two conversations that all of them are in. */
  async function meet() {
    await using opened = new AsyncDisposableStack();
    const settings = { TYPING_INTERVAL: interval };
    const here = opened.use(await startGateway(settings, { rooms: await adapter.open() }));
    const there = opened.use(await startGateway(settings, { rooms: await adapter.open() }));
    const conversations = [newConversationId(), newConversationId()] as const;
    for (const gateway of [here, there]) {
      gateway.memberships.set('alice', [...conversations]);
      gateway.memberships.set('bob', [...conversations]);
    }
    const alice = await here.connect('alice');
    const near = await here.connect('bob');
    const far = await there.connect('bob');
    const all = [near, far].map((client) => heard<{ isTyping: boolean }>(client, 'typing'));
    // Everybody hears everybody: what comes later is not lost on the way.
    await waitFor(() => {
      far.emit('typing', { conversationId: conversations[1], isTyping: false });
      return all[0]?.length;
    });
    for (const typing of all) {
      typing.length = 0;
    }
    const disposal = opened.move();
    return {
      here,
      conversationId: conversations[0],
      alice,
      async bobsHear(...states: boolean[]) {
        const expected = states.map((isTyping) => ({
          conversationId: conversations[0],
          userId: 'alice',
          isTyping,
        }));
        await waitFor(() => all.every((typing) => typing.length >= states.length));
        expect(all).toEqual([expected, expected]);
      },
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  }

  const endings: Record<
    string,
    (alice: Socket, it: Awaited<ReturnType<typeof meet>>) => Promise<void> | void
  > = {
    async 'sends a message'(alice, { conversationId }) {
      await alice.emitWithAck('send_message', { conversationId, content: 'hello' });
    },
    async 'leaves the conversation'(alice, { conversationId }) {
      await alice.emitWithAck('leave_conversation', { conversationId });
    },
    'is removed'(_alice, { here, conversationId }) {
      here.bus.publish(subjects.membersChanged, { conversationId, added: [], removed: ['alice'] });
    },
    disconnects(alice) {
      alice.disconnect();
    },
    'is cut off'(alice) {
      alice.io.engine.close();
    },
  };

  test.for(Object.entries(endings))('is cleared when the typist %s', async ([, end]) => {
    await using it = await meet();
    it.alice.emit('typing', { conversationId: it.conversationId, isTyping: true });
    await it.bobsHear(true);
    it.alice.io.reconnection(false);
    await end(it.alice, it);
    await it.bobsHear(true, false);
  });

  test('typing and sending in one moment does not leave the typist typing', async () => {
    await using it = await meet();
    const { conversationId } = it;
    it.alice.emit('typing', { conversationId, isTyping: true });
    it.alice.emit('send_message', { conversationId, content: 'hello' });
    await it.bobsHear(true, false);
  });

  test('a message that is not valid, or to another conversation, clears nothing', async () => {
    await using it = await meet();
    const { conversationId } = it;
    it.alice.emit('typing', { conversationId, isTyping: true });
    await it.alice.emitWithAck('send_message', { conversationId, content: ' ' });
    await it.alice.emitWithAck('send_message', {
      conversationId: newConversationId(),
      content: 'hello',
    });
    await it.bobsHear(true);
    await it.alice.emitWithAck('send_message', { conversationId, content: 'hello' });
    await it.bobsHear(true, false);
  });

  test('a burst within the interval is one event', async () => {
    await using it = await meet();
    const { conversationId } = it;
    for (let count = 0; count < 25; count += 1) {
      it.alice.emit('typing', { conversationId, isTyping: true });
      it.alice.emit('typing', { conversationId, isTyping: false });
    }
    await it.alice.emitWithAck('send_message', { conversationId, content: 'hello' });
    await it.bobsHear(true, false);
  });
});

test('at the end of the interval the last state arrives', async () => {
  await using gateway = await startGateway({ TYPING_INTERVAL: 100 });
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  gateway.memberships.set('bob', [conversationId]);
  const [alice, bob] = [await gateway.connect('alice'), await gateway.connect('bob')];
  const atBob = heard<{ isTyping: boolean }>(bob, 'typing');
  alice.emit('typing', { conversationId, isTyping: true });
  await waitFor(() => atBob.length === 1);
  alice.emit('typing', { conversationId, isTyping: true });
  alice.emit('typing', { conversationId, isTyping: false });
  await waitFor(() => atBob.at(-1)?.isTyping === false);
});
