import { createMemoryEventBus } from '@bambochat/messaging/memory';
import {
  type ConversationActivity,
  type ConversationId,
  subjects,
  unavailable,
} from '@bambochat/protocol';
import { conversationRoom, type Interruption, type RemoteEvent } from '@bambochat/rooms';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { heard, newConversationId, startGateway } from './gateway-fixture.ts';

const SINCE = Date.parse('2026-03-01T12:00:00Z');
const HOUR = 3_600_000;
const long = { lastSeq: 0, messageAt: SINCE - 10 * HOUR, changedAt: SINCE - 10 * HOUR };
const interruption: Interruption = { reason: 'redis was away', since: SINCE };

/** A gateway whose rooms the test interrupts, and whose remote events it plays. */
async function startInterruptible() {
  const bus = createMemoryEventBus();
  const interruptions: ((interruption: Interruption) => void)[] = [];
  const events: ((event: RemoteEvent) => void)[] = [];
  const reconnects: (() => void)[] = [];
  const nothing = { unsubscribe() {} };
  const gateway = await startGateway(
    {},
    {
      rooms: {
        ...createMemoryRooms(),
        onInterruption(listener) {
          interruptions.push(listener);
          return nothing;
        },
        onRemoteEvent(listener) {
          events.push(listener);
          return nothing;
        },
      },
      bus: {
        ...bus,
        onReconnect(listener) {
          reconnects.push(listener);
          return nothing;
        },
      },
    },
    bus,
  );
  return {
    gateway,
    interrupt() {
      for (const listener of interruptions) {
        listener(interruption);
      }
    },
    reconnectBus() {
      for (const listener of reconnects) {
        listener();
      }
    },
    hear(conversationId: ConversationId, seq: number) {
      for (const listener of events) {
        const room = conversationRoom(conversationId);
        // An older message-service tells nothing beside the packet.
        const message = seq % 2 === 0 ? undefined : { seq, createdAt: '' };
        listener({ event: 'receive_message', room, message, payload: () => ({ seq }) });
      }
    },
    isNow(conversationId: ConversationId, activity: Partial<ConversationActivity>) {
      gateway.directory.activity.set(conversationId, { ...long, ...activity });
    },
    /** A user who is in this conversation alone, and what it is told. */
    async memberOf(userId: string, ...conversationIds: ConversationId[]) {
      gateway.memberships.set(userId, conversationIds);
      return heard(await gateway.connect(userId), 'resync');
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

test('after an interruption only those are told in whose rooms something was missed', async () => {
  await using it = await startInterruptible();
  const names = ['ahead', 'known', 'new', 'changed', 'quiet', 'old', 'nothing'] as const;
  const rooms = Object.fromEntries(names.map((name) => [name, newConversationId()])) as Record<
    (typeof names)[number],
    ConversationId
  >;
  const told: Record<string, unknown[]> = {};
  for (const name of names) {
    told[name] = await it.memberOf(name, rooms[name]);
  }
  it.hear(rooms.ahead, 4);
  it.hear(rooms.ahead, 3);
  it.isNow(rooms.ahead, { lastSeq: 5 });
  it.hear(rooms.known, 4);
  it.isNow(rooms.known, { lastSeq: 4, messageAt: SINCE + 1 });
  // Nothing was heard here since the room is: the time decides, clocks that differ allowed for.
  it.isNow(rooms.new, { lastSeq: 9, messageAt: SINCE - HOUR });
  it.isNow(rooms.changed, { lastSeq: 9, changedAt: SINCE - 1000 });
  it.isNow(rooms.quiet, { lastSeq: 9 });
  it.isNow(rooms.old, { lastSeq: 9, messageAt: SINCE - 3 * HOUR, changedAt: SINCE - HOUR });

  it.interrupt();
  const concerned = ['ahead', 'new', 'changed'];
  await waitFor(() => concerned.every((name) => told[name]?.length === 1), { timeout: 8000 });
  const resync = [{ reason: interruption.reason }];
  expect(told).toEqual(
    Object.fromEntries(names.map((name) => [name, concerned.includes(name) ? resync : []])),
  );
  // All seven were one question.
  expect(it.gateway.directory.activityReads).toEqual([names.length]);
});

test('a socket with several rooms that missed something is told once', async () => {
  await using it = await startInterruptible();
  const rooms = [newConversationId(), newConversationId()];
  const told = await it.memberOf('alice', ...rooms);
  const marker = await it.memberOf('bob', ...rooms);
  for (const room of rooms) {
    it.hear(room, 1);
    it.isNow(room, { lastSeq: 2 });
  }
  it.interrupt();
  await waitFor(() => told.length > 0 && marker.length > 0, { timeout: 8000 });
  expect([told, marker]).toEqual([
    [{ reason: interruption.reason }],
    [{ reason: interruption.reason }],
  ]);
});

test('questions grow with the rooms by one for each 500', async () => {
  await using it = await startInterruptible();
  const rooms = Array.from({ length: 1200 }, newConversationId);
  const told = await it.memberOf('alice', ...rooms);
  it.isNow(rooms[1199] as ConversationId, { lastSeq: 1, messageAt: SINCE });
  it.interrupt();
  await waitFor(() => told.length === 1, { timeout: 8000 });
  expect(it.gateway.directory.activityReads).toEqual([500, 500, 200]);
});

test('when the directory cannot be asked, everybody is told', async () => {
  await using it = await startInterruptible();
  const [alice, bob] = [
    await it.memberOf('alice', newConversationId()),
    await it.memberOf('bob', newConversationId()),
  ];
  it.gateway.directory.beforeActivity = async () => {
    throw unavailable('MongoDB');
  };
  it.interrupt();
  await waitFor(() => alice.length === 1 && bob.length === 1, { timeout: 10_000 });
  expect(it.gateway.directory.activityReads).toEqual([2, 2, 2]);
});

test('when another process lost what it emitted, this gateway looks too', async () => {
  await using it = await startInterruptible();
  const room = newConversationId();
  const told = await it.memberOf('alice', room);
  it.isNow(room, { lastSeq: 1, messageAt: SINCE });
  it.gateway.bus.publish(subjects.liveEventsLost, { since: SINCE, reason: 'elsewhere' });
  await waitFor(() => told.length === 1, { timeout: 8000 });
  expect(told).toEqual([{ reason: 'elsewhere' }]);
});

test('when the bus was away, rooms are told whose messages went past them', async () => {
  await using it = await startInterruptible();
  const [behind, silent] = [newConversationId(), newConversationId()];
  const [alice, bob] = [await it.memberOf('alice', behind), await it.memberOf('bob', silent)];
  it.hear(behind, 1);
  it.isNow(behind, { lastSeq: 2 });
  it.isNow(silent, { lastSeq: 2, messageAt: Date.now() });
  it.reconnectBus();
  await waitFor(() => alice.length === 1, { timeout: 8000 });
  expect(bob).toEqual([]);
  expect(it.gateway.directory.activityReads).toEqual([1]);
});

test('what was heard in a room is forgotten with the room', async () => {
  await using it = await startInterruptible();
  const room = newConversationId();
  const marker = await it.memberOf('marker', newConversationId());
  it.gateway.memberships.set('alice', [room]);
  const first = await it.gateway.connect('alice');
  it.hear(room, 1);
  await first.emitWithAck('leave_conversation', { conversationId: room });
  first.disconnect();
  // Old, and nothing was heard since the room is here anew: alice reads what she missed by herself.
  it.isNow(room, { lastSeq: 2 });
  const told = await it.memberOf('alice', room);
  it.isNow(it.gateway.memberships.get('marker')?.[0] as ConversationId, { messageAt: SINCE });
  it.interrupt();
  await waitFor(() => marker.length === 1, { timeout: 8000 });
  expect(told).toEqual([]);
});
