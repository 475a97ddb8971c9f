import { createMemoryEventBus } from '@bambochat/messaging/memory';
import {
  type ChatRequest,
  type GatewayId,
  type Message,
  type MessageRequest,
  subjects,
  type WireError,
} from '@bambochat/protocol';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { waitFor } from '@bambochat/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { ChatSocket } from './chat-socket.ts';
import { heard, messageOf, newConversationId, startGateway } from './gateway-fixture.ts';
import { createUnconfirmedMessages, type Success } from './unconfirmed-messages.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('after a lost connection to the bus, rooms follow what was announced meanwhile', async () => {
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
  const [kept, removed, added] = [newConversationId(), newConversationId(), newConversationId()];
  gateway.memberships.set('alice', [kept, removed]);
  const client = await gateway.connect('alice');
  const [joined, left] = [heard(client, 'conversation_joined'), heard(client, 'conversation_left')];
  gateway.memberships.set('alice', [kept, added]);
  for (const listener of listeners) {
    listener();
  }
  await waitFor(() => joined.length === 1 && left.length === 1);
  expect([joined, left]).toEqual([[{ conversationId: added }], [{ conversationId: removed }]]);
});

test('a removal does not wait for an addition that Redis has not taken up', async () => {
  const rooms = createMemoryRooms();
  const fence = { wait: Promise.resolve() };
  await using gateway = await startGateway({}, { rooms: { ...rooms, fence: () => fence.wait } });
  const client = await gateway.connect('alice');
  const [joined, left] = [heard(client, 'conversation_joined'), heard(client, 'conversation_left')];
  const blocked = Promise.withResolvers<void>();
  fence.wait = blocked.promise;
  const conversationId = newConversationId();
  const change = { conversationId, added: [], removed: [] };
  gateway.bus.publish(subjects.membersChanged, { ...change, added: ['alice'] });
  gateway.bus.publish(subjects.membersChanged, { ...change, removed: ['alice'] });
  await waitFor(() => left.length === 1);
  blocked.resolve();
  await client.emitWithAck('refresh_token', { token: gateway.token('alice') });
  expect([joined, left]).toEqual([[], [{ conversationId }]]);
});

function oneUnconfirmed() {
  const bus = createMemoryEventBus();
  const gatewayId = 'gateway-1' as GatewayId;
  const asked: ChatRequest[] = [];
  const confirmed: Success[] = [];
  const failed: WireError[] = [];
  const unconfirmed = createUnconfirmedMessages({
    bus,
    gatewayId,
    max: 10,
    maxWait: 1000,
    askAgain: (request) => asked.push(request),
  });
  const request: MessageRequest = {
    kind: 'message',
    conversationId: newConversationId(),
    senderId: 'alice' as MessageRequest['senderId'],
    content: 'hello',
    clientMessageId: 'mine' as MessageRequest['clientMessageId'],
    socketId: 'socket',
    ref: '1',
  };
  unconfirmed.add({
    socket: { connected: true } as ChatSocket,
    request,
    confirm: (result) => confirmed.push(result),
    fail: (error) => failed.push(error),
  });
  return {
    unconfirmed,
    request,
    asked,
    confirmed,
    failed,
    result: (message: Message) =>
      bus.publish(subjects.chatResults(gatewayId), { results: [{ ref: '1', message }] }),
    [Symbol.dispose]: () => unconfirmed.stop(),
  };
}

test('an overdue result is asked for again, at growing intervals, and still confirms', async () => {
  vi.useFakeTimers();
  using it = oneUnconfirmed();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(it.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(it.asked).toEqual([it.request]);
  await vi.advanceTimersByTimeAsync(1_200_000);
  expect(it.asked).toHaveLength(6);
  expect(it.failed).toEqual([]);
  const message = messageOf(it.request, 1);
  it.result(message);
  await vi.advanceTimersByTimeAsync(10);
  expect(it.confirmed).toEqual([{ ref: '1', message }]);
  expect(it.unconfirmed.size).toBe(0);
});

test('a result that never comes is given up as retryable, and takes no place any more', async () => {
  vi.useFakeTimers();
  using it = oneUnconfirmed();
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(it.asked).toHaveLength(6);
  expect(it.failed).toMatchObject([{ code: 'UNAVAILABLE', retryable: true }]);
  expect(it.confirmed).toEqual([]);
  expect(it.unconfirmed.size).toBe(0);
});

test('a socket that is gone waits for nothing any more', async () => {
  vi.useFakeTimers();
  const socket = { connected: true };
  const unconfirmed = createUnconfirmedMessages({
    bus: createMemoryEventBus(),
    gatewayId: 'gateway-1' as GatewayId,
    max: 1,
    maxWait: 1000,
    askAgain: () => {},
  });
  const request = { ref: '1' } as MessageRequest;
  unconfirmed.add({ socket: socket as ChatSocket, request, confirm() {}, fail() {} });
  expect(unconfirmed.full).toBe(true);
  socket.connected = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([unconfirmed.size, unconfirmed.full]).toEqual([0, false]);
  unconfirmed.stop();
});
