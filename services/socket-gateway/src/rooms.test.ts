import { AppError, type MembersChanged, subjects, type UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { heard, newConversationId, startGateway } from './gateway-fixture.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

function announce(gateway: Gateway, change: Partial<MembersChanged> & { conversationId: string }) {
  gateway.bus.publish(subjects.membersChanged, { added: [], removed: [], ...change });
}

/** Emits markers until one arrives, then returns everything that came before it. */
async function hears(gateway: Gateway, client: Awaited<ReturnType<Gateway['connect']>>) {
  const markers = heard<{ reason: string }>(client, 'resync');
  gateway.rooms.emitter.toUser('alice' as UserId, 'resync', { reason: 'marker' });
  await waitFor(() => markers.length > 0);
}

test('a socket hears its conversations from the moment it is connected', async () => {
  await using gateway = await startGateway();
  const [ours, theirs] = [newConversationId(), newConversationId()];
  gateway.memberships.set('alice', [ours]);
  const client = await gateway.connect('alice');
  const received = heard(client, 'conversation_joined');
  gateway.rooms.emitter.toConversation(theirs, 'conversation_joined', { conversationId: theirs });
  gateway.rooms.emitter.toConversation(ours, 'conversation_joined', { conversationId: ours });
  await hears(gateway, client);
  expect(received).toEqual([{ conversationId: ours }]);
});

test('rooms follow who is added and removed, and the client is told', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  const [phone, laptop] = [await gateway.connect('alice'), await gateway.connect('alice')];
  const joined = [heard(phone, 'conversation_joined'), heard(laptop, 'conversation_joined')];
  const left = heard(phone, 'conversation_left');
  announce(gateway, { conversationId, added: ['alice' as UserId, 'bob' as UserId] });
  await waitFor(() => joined.every((events) => events.length === 1));
  const received = heard(phone, 'typing');
  const payload = { conversationId, userId: 'bob' as UserId, isTyping: true };
  gateway.rooms.emitter.toConversation(conversationId, 'typing', payload);
  await waitFor(() => received.length === 1);
  announce(gateway, { conversationId, removed: ['alice' as UserId] });
  await waitFor(() => left.length === 1);
  gateway.rooms.emitter.toConversation(conversationId, 'typing', payload);
  await hears(gateway, phone);
  expect(received).toEqual([payload]);
  expect(left).toEqual([{ conversationId }]);
});

test('a removal announced while the directory is being read for a connect is not missed', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  gateway.directory.beforeAnswer = async () => {
    gateway.directory.beforeAnswer = async () => {};
    gateway.memberships.set('alice', []);
    announce(gateway, { conversationId, removed: ['alice' as UserId] });
    await gateway.bus.flush();
  };
  const client = await gateway.connect('alice');
  const received = heard(client, 'typing');
  gateway.rooms.emitter.toConversation(conversationId, 'typing', {
    conversationId,
    userId: 'bob' as UserId,
    isTyping: true,
  });
  await hears(gateway, client);
  expect(received).toEqual([]);
  expect(gateway.directory.reads).toBe(2);
});

test('join_conversation answers lastSeq to members, and the same to absent and forbidden', async () => {
  await using gateway = await startGateway();
  const [ours, theirs] = [newConversationId(), newConversationId()];
  const client = await gateway.connect('alice');
  gateway.memberships.set('alice', [ours]);
  gateway.memberships.set('bob', [theirs]);
  expect(await client.emitWithAck('join_conversation', { conversationId: ours })).toEqual({
    success: true,
    conversationId: ours,
    lastSeq: 7,
  });
  const [forbidden, absent] = [
    await client.emitWithAck('join_conversation', { conversationId: theirs }),
    await client.emitWithAck('join_conversation', { conversationId: newConversationId() }),
  ];
  expect(forbidden).toEqual({
    success: false,
    error: { code: 'NOT_FOUND', message: 'Conversation not found', retryable: false },
  });
  expect(absent).toEqual(forbidden);
});

test('a repeated join that the directory cannot answer leaves the socket in its room', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  const client = await gateway.connect('alice');
  const received = heard(client, 'typing');
  gateway.directory.beforeHead = async () => {
    throw new AppError('UNAVAILABLE', 'The directory is not available');
  };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => client.emitWithAck('join_conversation', { conversationId })),
  );
  for (const answer of answers) {
    expect(answer).toMatchObject({ success: false, error: { code: 'UNAVAILABLE' } });
  }
  expect(gateway.directory.headReads).toBeLessThan(50);
  gateway.rooms.emitter.toConversation(conversationId, 'typing', {
    conversationId,
    userId: 'bob' as UserId,
    isTyping: true,
  });
  await waitFor(() => received.length === 1);
});

test('leave_conversation silences one socket until it joins again', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  gateway.memberships.set('bob', [conversationId]);
  const client = await gateway.connect('alice');
  const bob = await gateway.connect('bob');
  const received = heard(client, 'typing');
  expect(await client.emitWithAck('leave_conversation', { conversationId })).toEqual({
    success: true,
  });
  bob.emit('typing', { conversationId, isTyping: true });
  await bob.emitWithAck('join_conversation', { conversationId });
  await hears(gateway, client);
  expect(received).toEqual([]);
  await client.emitWithAck('join_conversation', { conversationId });
  await waitFor(() => {
    bob.emit('typing', { conversationId, isTyping: false });
    return received.length > 0;
  });
  expect(received[0]).toEqual({ conversationId, userId: 'bob', isTyping: false });
});

test('typing reaches the others in the room and not the typist, strangers are refused', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  gateway.memberships.set('bob', [conversationId]);
  const [alice, bob] = [await gateway.connect('alice'), await gateway.connect('bob')];
  const stranger = await gateway.connect('mallory');
  const [atAlice, atBob] = [heard(alice, 'typing'), heard(bob, 'typing')];
  const [atStranger, refused] = [heard(stranger, 'typing'), heard(stranger, 'chat_error')];
  stranger.emit('typing', { conversationId, isTyping: true });
  await waitFor(() => refused.length === 1);
  expect(refused[0]).toMatchObject({ event: 'typing', code: 'NOT_FOUND' });
  alice.emit('typing', { conversationId, isTyping: true });
  await waitFor(() => atBob.length > 0);
  expect(atBob).toEqual([{ conversationId, userId: 'alice', isTyping: true }]);
  expect([atAlice, atStranger]).toEqual([[], []]);
});

test('typing over the rate is dropped in silence', async () => {
  await using gateway = await startGateway({ TYPING_RATE: 0.001, TYPING_BURST: 2 });
  const conversationId = newConversationId();
  gateway.memberships.set('alice', [conversationId]);
  gateway.memberships.set('bob', [conversationId]);
  const [alice, bob] = [await gateway.connect('alice'), await gateway.connect('bob')];
  const [atBob, errors] = [heard(bob, 'typing'), heard(alice, 'chat_error')];
  for (let count = 1; count <= 2; count += 1) {
    alice.emit('typing', { conversationId, isTyping: true });
    await waitFor(() => atBob.length === count);
  }
  for (let count = 0; count < 10; count += 1) {
    alice.emit('typing', { conversationId, isTyping: true });
  }
  await alice.emitWithAck('join_conversation', { conversationId });
  await bob.emitWithAck('join_conversation', { conversationId });
  expect(atBob).toHaveLength(2);
  expect(errors).toEqual([]);
});
