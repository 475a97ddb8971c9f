import type { Message, UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type Device,
  type Gateway,
  messageIn,
  newConversationId,
  newUserId,
  seqsHeardBy,
  startGateway,
} from './gateways.fixture.ts';
import type { Rooms } from './rooms.ts';

/** One backing service that several processes share. */
export interface SharedRooms {
  /** The rooms of one more process, or of the same where there can be only one. */
  open(): Promise<Rooms>;
  close(): Promise<void>;
}

/** What every implementation of `Rooms` promises. */
export function describeRooms(name: string, share: () => Promise<SharedRooms>): void {
  describe(`rooms on ${name}`, () => {
    let shared: SharedRooms;
    let opened: Rooms[] = [];
    let gateways: Gateway[] = [];
    const unhandled: unknown[] = [];
    const noteUnhandled = (reason: unknown) => unhandled.push(reason);

    beforeAll(async () => {
      process.on('unhandledRejection', noteUnhandled);
      shared = await share();
    });
    afterAll(async () => {
      await shared.close();
      process.off('unhandledRejection', noteUnhandled);
    });
    afterEach(async () => {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await Promise.all(opened.map((rooms) => rooms.stop()));
      gateways = [];
      opened = [];
      expect(unhandled.splice(0)).toEqual([]);
    });

    async function openRooms(): Promise<Rooms> {
      const rooms = await shared.open();
      opened.push(rooms);
      return rooms;
    }

    /** `count` gateways, and an emitter in a process without sockets. */
    async function start(count: number) {
      for (let n = 0; n < count; n += 1) {
        gateways.push(await startGateway(await openRooms()));
      }
      return { gateways: [...gateways], emitter: (await openRooms()).emitter };
    }

    const fence = () => Promise.all(gateways.map((gateway) => gateway.rooms.fence()));

    /** Resolves when what was emitted before has arrived, or never will. */
    async function arrived(devices: readonly Device[], emitter: Rooms['emitter']): Promise<void> {
      for (const device of devices) {
        const mark = `mark ${device.heard.length}`;
        emitter.toUser(device.socket.handshake.auth.userId, 'resync', { reason: mark });
        await waitFor(() => {
          const at = device.heard.findIndex(
            ({ payload }) => (payload as { reason?: string }).reason === mark,
          );
          return at >= 0 && device.heard.splice(at, 1);
        });
      }
    }

    test('an emit reaches the room on every gateway, and nobody else', async () => {
      const { gateways, emitter } = await start(3);
      const conversation = newConversationId();
      const members = await Promise.all(gateways.map((gateway) => gateway.connect()));
      const strangers = await Promise.all(gateways.map((gateway) => gateway.connect()));
      for (const member of members) {
        member.join(conversation);
      }
      for (const stranger of strangers) {
        stranger.join(newConversationId());
      }
      await fence();

      const message = messageIn(conversation, 1, 'grüße 👩‍👩‍👧 \u0000 שלום');
      emitter.toConversation(conversation, 'receive_message', message);

      await arrived([...members, ...strangers], emitter);
      for (const member of members) {
        expect(member.heard).toEqual([{ event: 'receive_message', payload: message }]);
      }
      for (const stranger of strangers) {
        expect(stranger.heard).toEqual([]);
      }
    });

    test('counts what is handed to sockets: each event once, and once for each socket', async () => {
      const { gateways, emitter } = await start(2);
      const conversation = newConversationId();
      const devices = await Promise.all(
        [...gateways, ...gateways].map((gateway) => gateway.connect()),
      );
      for (const device of devices) {
        device.join(conversation);
      }
      await fence();
      // In memory all of them are one and the same.
      const sum = (of: 'broadcasts' | 'deliveries') =>
        [...new Set(opened)].reduce((total, rooms) => total + rooms.figures()[of], 0);
      const before = { broadcasts: sum('broadcasts'), deliveries: sum('deliveries') };

      emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
      await waitFor(() => devices.every((device) => device.heard.length > 0));
      expect(sum('deliveries') - before.deliveries).toBe(4);
      expect(sum('broadcasts') - before.broadcasts).toBeGreaterThanOrEqual(2);
    });

    test('the excepted socket alone is left out, on whichever gateway it is', async () => {
      const { gateways, emitter } = await start(2);
      const conversation = newConversationId();
      const userId = newUserId();
      const devices = await Promise.all(
        [...gateways, ...gateways].map((gateway) => gateway.connect(userId)),
      );
      for (const device of devices) {
        device.join(conversation);
      }
      await fence();

      for (const [seq, device] of devices.entries()) {
        emitter.toConversation(conversation, 'receive_message', messageIn(conversation, seq), {
          exceptSocketId: device.socket.id,
        });
      }

      await waitFor(() => devices.every((device) => device.heard.length >= 3));
      await arrived(devices, emitter);
      for (const [seq, device] of devices.entries()) {
        const others = [0, 1, 2, 3].filter((other) => other !== seq);
        expect(seqsHeardBy(device)).toEqual(others);
      }
    });

    test('500 emits into one room arrive in their order', async () => {
      const { gateways, emitter } = await start(2);
      const conversation = newConversationId();
      const devices = await Promise.all(gateways.map((gateway) => gateway.connect()));
      for (const device of devices) {
        device.join(conversation);
      }
      await fence();

      const seqs = Array.from({ length: 500 }, (_, index) => index + 1);
      for (const seq of seqs) {
        emitter.toConversation(conversation, 'receive_message', messageIn(conversation, seq));
      }

      for (const device of devices) {
        await waitFor(() => device.heard.length >= 500);
        expect(seqsHeardBy(device)).toEqual(seqs);
      }
    });

    test('nothing is missed by who joined before the fence', async () => {
      const { gateways, emitter } = await start(2);
      const devices = await Promise.all(gateways.map((gateway) => gateway.connect()));

      // Joined at a different moment each: the fences overlap.
      await Promise.all(
        Array.from({ length: 250 }, async (_, index) => {
          for (let turns = 0; turns < index % 25; turns += 1) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          for (const [at, device] of devices.entries()) {
            const conversation = newConversationId();
            device.join(conversation);
            await gateways[at]?.rooms.fence();
            emitter.toConversation(conversation, 'receive_message', messageIn(conversation, index));
          }
        }),
      );

      await arrived(devices, emitter);
      for (const device of devices) {
        expect(seqsHeardBy(device)).toHaveLength(250);
      }
    });

    test('who left a room hears it no more; who stayed does; who comes back does again', async () => {
      const { gateways, emitter } = await start(2);
      const conversation = newConversationId();
      const [first, second] = gateways as [Gateway, Gateway];
      const leaving = await first.connect();
      const staying = await second.connect();
      leaving.join(conversation);
      staying.join(conversation);
      await fence();
      leaving.leave(conversation);
      await fence();

      emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
      await arrived([leaving, staying], emitter);
      expect(seqsHeardBy(leaving)).toEqual([]);
      expect(seqsHeardBy(staying)).toEqual([1]);

      // Left and joined in one turn: the last word counts.
      leaving.join(conversation);
      leaving.leave(conversation);
      leaving.join(conversation);
      await fence();
      emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 2));
      await arrived([leaving, staying], emitter);
      expect(seqsHeardBy(leaving)).toEqual([2]);
    });

    test.each([
      ['an ordinary name', newUserId()],
      ['a name of 15 characters', 'fifteen.letters' as UserId],
    ])('a user with %s is reached on all devices, others are not', async (_, userId) => {
      const { gateways, emitter } = await start(2);
      const devices = await Promise.all(
        [...gateways, ...gateways].map((gateway) => gateway.connect(userId)),
      );
      const stranger = await (gateways[0] as Gateway).connect();
      await fence();
      const conversationId = newConversationId();

      emitter.toUser(userId, 'conversation_joined', { conversationId });

      await waitFor(() => devices.every((device) => device.heard.length > 0));
      await arrived([stranger], emitter);
      for (const device of devices) {
        expect(device.heard).toEqual([
          { event: 'conversation_joined', payload: { conversationId } },
        ]);
      }
      expect(stranger.heard).toEqual([]);
    });

    test('a gateway emits by its own emitter to its own sockets and to those of others', async () => {
      const { gateways } = await start(2);
      const conversation = newConversationId();
      const devices = await Promise.all(gateways.map((gateway) => gateway.connect()));
      for (const device of devices) {
        device.join(conversation);
      }
      await fence();
      const { emitter } = (gateways[0] as Gateway).rooms;

      emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));

      await waitFor(() => devices.every((device) => device.heard.length > 0));
      await arrived(devices, emitter);
      expect(devices.map(seqsHeardBy)).toEqual([[1], [1]]);
    });

    test('a socket emits into a room past itself, to every gateway', async () => {
      const { gateways, emitter } = await start(2);
      const conversation = newConversationId();
      const devices = await Promise.all(
        [...gateways, ...gateways].map((gateway) => gateway.connect()),
      );
      for (const device of devices) {
        device.join(conversation);
      }
      await fence();
      const [typist, ...others] = devices as [Device, ...Device[]];

      typist.socket.to(`conversation:${conversation}`).emit('typing', { isTyping: true });

      await waitFor(() => others.every((device) => device.heard.length > 0));
      await arrived(devices, emitter);
      expect(typist.heard).toEqual([]);
      for (const other of others) {
        expect(other.heard).toEqual([{ event: 'typing', payload: { isTyping: true } }]);
      }
    });

    test('a payload that cannot be serialised is dropped; what follows arrives', async () => {
      const { gateways, emitter } = await start(1);
      const conversation = newConversationId();
      const device = await (gateways[0] as Gateway).connect();
      device.join(conversation);
      await fence();
      const circular: Record<string, unknown> = {};
      circular.self = circular;

      const own = (gateways[0] as Gateway).rooms.emitter;
      for (const through of [emitter, own]) {
        through.toConversation(conversation, 'receive_message', circular as unknown as Message);
        through.toConversation(conversation, 'receive_message', messageIn(conversation, 2));
      }

      await waitFor(() => device.heard.length >= 2);
      expect(seqsHeardBy(device)).toEqual([2, 2]);
    });

    test('a gateway that closes leaves the others undisturbed', async () => {
      const { gateways, emitter } = await start(2);
      const [closing, staying] = gateways as [Gateway, Gateway];
      const conversation = newConversationId();
      const device = await staying.connect();
      (await closing.connect()).join(conversation);
      device.join(conversation);
      await fence();

      await closing.close();

      emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1));
      await waitFor(() => device.heard.length > 0);
      expect(seqsHeardBy(device)).toEqual([1]);
    });

    test('it is ready, and stopping it twice and emitting afterwards do no harm', async () => {
      const rooms = await openRooms();
      await expect(rooms.check()).resolves.toBeUndefined();
      await expect(rooms.fence()).resolves.toBeUndefined();
      const conversation = newConversationId();

      await Promise.all([rooms.stop(), rooms.stop()]);
      await rooms.stop();

      expect(
        rooms.emitter.toConversation(conversation, 'receive_message', messageIn(conversation, 1)),
      ).toBeUndefined();
    });
  });
}
