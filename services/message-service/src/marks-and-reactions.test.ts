import {
  AppError,
  type ConversationId,
  type Message,
  type MessageId,
  REACTIONS_PER_MESSAGE_MAX,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { mark, newConversationId, reaction, request } from './message-fixture.ts';
import { startService } from './running-service.fixture.ts';

type Running = Awaited<ReturnType<typeof startService>>;

/** Messages of alice in a new conversation with bob and carol. */
async function conversationWith(service: Running, count: number) {
  const conversationId = await service.conversationOf('alice', 'bob', 'carol');
  const requests = Array.from({ length: count }, () => request(conversationId));
  if (count > 0) {
    await service.append(requests);
    await service.resultOf(requests.at(-1)?.ref ?? '');
  }
  const messages = await service.stores.messageStore.page(conversationId, { limit: count });
  service.emitted.length = 0;
  return { conversationId, messages: messages as [Message, Message, Message] };
}

const changesOf = async (service: Running, conversationId: ConversationId) =>
  (await service.stores.syncStore.changesSince(conversationId, 0)).changes;

const nowhere = (conversationId: ConversationId) => ({
  conversationId,
  _id: uuidv7() as MessageId,
});

test('a mark moves forward, tells the room and the journal, and answers what is unread', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 3);
  const read = mark(messages[1], 'bob');
  await service.append([read]);
  expect(await service.resultOf(read.ref)).toEqual({ ref: read.ref, unread: 1 });
  expect(service.emitted).toEqual([
    {
      conversationId,
      event: 'message_read_update',
      payload: { conversationId, userId: 'bob', messageId: messages[1]._id, seq: 2 },
      exceptSocketId: undefined,
    },
  ]);
  expect(await changesOf(service, conversationId)).toEqual([{ kind: 'read', userId: 'bob' }]);
});

test('a mark behind the one that stands changes nothing and is told to nobody', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 3);
  const marks = [messages[2], messages[0], messages[2]].map((message) => mark(message, 'bob'));
  for (const each of marks) {
    await service.append([each]);
  }
  for (const { ref } of marks) {
    expect(await service.resultOf(ref)).toEqual({ ref, unread: 0 });
  }
  expect(service.emitted).toHaveLength(1);
  const bob = await service.stores.directoryStore.membership(conversationId, 'bob' as UserId);
  expect(bob?.readSeq).toBe(3);
  expect((await service.stores.syncStore.changesSince(conversationId, 0)).revision).toBe(1);
});

test('messages, marks and reactions share a command, each with its own result', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 3);
  const other = await conversationWith(service, 3);
  const batch = [
    mark(messages[0], 'bob'),
    request(conversationId),
    reaction(messages[0], 'bob', 'love'),
    mark(other.messages[2], 'carol'),
    mark(nowhere(conversationId), 'bob'),
    mark(messages[2], 'bob'),
  ] as const;
  await service.append([...batch]);
  const results = await Promise.all(batch.map(({ ref }) => service.resultOf(ref)));
  expect(results).toMatchObject([
    { unread: 2 },
    { message: { seq: 4 } },
    { reactions: [{ userId: 'bob', type: 'love' }] },
    { unread: 0 },
    { error: { code: 'NOT_FOUND', message: 'Message not found' } },
    { unread: 0 },
  ]);
  expect(service.emitted.map(({ event }) => event)).toEqual([
    'receive_message',
    'message_read_update',
    'reaction_update',
    'message_read_update',
    'message_read_update',
  ]);
});

test('a reaction is put, replaced and taken back, and each time the room gets all of them', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 2);
  const [, message] = messages;
  const steps = [
    reaction(message, 'bob'),
    reaction(message, 'carol', 'sad'),
    reaction(message, 'bob', 'haha'),
    reaction(message, 'carol', 'sad'),
  ];
  for (const step of steps) {
    await service.append([step]);
    await service.resultOf(step.ref);
  }
  const bob = { userId: 'bob', type: 'haha' };
  expect(service.emitted.map(({ payload }) => payload)).toEqual(
    [
      [{ userId: 'bob', type: 'like' }],
      [
        { userId: 'bob', type: 'like' },
        { userId: 'carol', type: 'sad' },
      ],
      [{ userId: 'carol', type: 'sad' }, bob],
      [bob],
    ].map((reactions) => ({ conversationId, messageId: message._id, reactions })),
  );
  expect(await changesOf(service, conversationId)).toEqual([
    { kind: 'reaction', messageId: message._id, seq: 2 },
  ]);
  const [, stored] = await service.stores.messageStore.page(conversationId, { limit: 2 });
  expect(stored?.reactions).toEqual([bob]);
});

test('a reaction that is delivered twice is toggled once', async () => {
  await using service = await startService();
  const { messages } = await conversationWith(service, 1);
  const step = reaction(messages[0], 'bob');
  const again = { ...step, ref: `${step.ref}-again` };
  const reactions = [{ userId: 'bob', type: 'like' }];
  await service.append([step]);
  await service.append([again]);
  expect(await service.resultOf(step.ref)).toEqual({ ref: step.ref, reactions });
  expect(await service.resultOf(again.ref)).toEqual({ ref: again.ref, reactions });
});

test('what was stored and not yet told when the try failed is told by the next one', async () => {
  let failures = 1;
  await using service = await startService({
    wrapSyncStore: (store) => ({
      ...store,
      async appendChanges(...change) {
        if (failures > 0) {
          failures -= 1;
          throw new AppError('UNAVAILABLE', 'the store is away');
        }
        return store.appendChanges(...change);
      },
    }),
  });
  const { conversationId, messages } = await conversationWith(service, 2);
  const batch = [mark(messages[1], 'bob'), reaction(messages[0], 'bob'), request(conversationId)];
  await service.append(batch);
  const results = await Promise.all(batch.map(({ ref }) => service.resultOf(ref)));
  expect(failures).toBe(0);
  expect(results).toMatchObject([
    { unread: 0 },
    { reactions: [{ userId: 'bob', type: 'like' }] },
    { message: { seq: 3 } },
  ]);
  // Each once: nothing is broadcast before everything is stored.
  expect(service.emitted.map(({ event }) => event).sort()).toEqual([
    'message_read_update',
    'reaction_update',
    'receive_message',
  ]);
  expect(await changesOf(service, conversationId)).toEqual([
    { kind: 'read', userId: 'bob' },
    { kind: 'reaction', messageId: messages[0]._id, seq: 1 },
  ]);
});

test('a reaction that fails by itself becomes a dead letter without its neighbours', async () => {
  await using service = await startService({
    wrapStore: (store) => ({
      ...store,
      async react(conversationId, messageId, step) {
        if (step.type === 'angry') {
          throw new Error('driver bug');
        }
        return store.react(conversationId, messageId, step);
      },
    }),
  });
  const { conversationId, messages } = await conversationWith(service, 1);
  const [message] = messages;
  const poison = reaction(message, 'carol', 'angry');
  const batch = [reaction(message, 'bob'), poison, request(conversationId), mark(message, 'bob')];
  await service.append(batch);
  const results = await Promise.all(batch.map(({ ref }) => service.resultOf(ref)));
  expect(results).toMatchObject([
    { reactions: [{ userId: 'bob', type: 'like' }] },
    { error: { code: 'INTERNAL', message: 'Internal error' } },
    { message: { seq: 2 } },
    { unread: 1 },
  ]);
  const [letter] = await service.commandLog.deadLetters(10);
  expect(JSON.parse(new TextDecoder().decode(letter?.command)).requests).toEqual([poison]);
});

test('strangers change nothing and learn nothing', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 1);
  const elsewhere = await conversationWith(service, 1);
  const [message] = messages;
  const absent = newConversationId();
  const requests = [
    mark(message, 'mallory'),
    mark(nowhere(conversationId), 'mallory'),
    mark(nowhere(absent), 'mallory'),
    reaction(message, 'mallory'),
    reaction(nowhere(conversationId), 'mallory'),
    // A member, but the message is in another conversation.
    mark({ conversationId, _id: elsewhere.messages[0]._id }, 'bob'),
    reaction({ conversationId, _id: elsewhere.messages[0]._id }, 'bob'),
  ];
  for (const each of requests) {
    await service.append([each]);
  }
  const errors = [];
  for (const { ref } of requests) {
    const result = await service.resultOf(ref);
    errors.push(result && 'error' in result ? result.error : null);
  }
  const refusal = (what: string) => ({
    code: 'NOT_FOUND',
    message: `${what} not found`,
    retryable: false,
  });
  const [conversation, its] = [refusal('Conversation'), refusal('Message')];
  expect(errors).toEqual([conversation, conversation, conversation, its, its, its, its]);
  expect(service.emitted).toEqual([]);
  for (const id of [conversationId, elsewhere.conversationId]) {
    expect(await changesOf(service, id)).toEqual([]);
  }
});

test('who was removed a moment ago cannot mark any more', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 1);
  const first = mark(messages[0], 'bob');
  await service.append([first]);
  await service.resultOf(first.ref);
  // The announcement has not come: only the store knows.
  await service.stores.directoryStore.removeParticipant(conversationId, 'bob' as UserId);
  const late = mark(messages[0], 'bob');
  await service.append([late]);
  expect(await service.resultOf(late.ref)).toMatchObject({ error: { code: 'NOT_FOUND' } });
});

test('past the bound of reactions to one message it is a CONFLICT', async () => {
  await using service = await startService();
  const { messages } = await conversationWith(service, 1);
  const { conversationId, _id } = messages[0];
  for (let count = 0; count < REACTIONS_PER_MESSAGE_MAX; count += 1) {
    const step = { userId: `user-${count}` as UserId, type: 'like' as const, requestId: uuidv7() };
    await service.stores.messageStore.react(conversationId, _id, step);
  }
  const late = reaction(messages[0], 'bob');
  await service.append([late]);
  expect(await service.resultOf(late.ref)).toMatchObject({
    error: { code: 'CONFLICT', retryable: false },
  });
  expect(service.emitted).toEqual([]);
});

test('tells members where a message is, and nobody else', async () => {
  await using service = await startService();
  const { conversationId, messages } = await conversationWith(service, 1);
  const ask = (messageId: string, userId: string) =>
    service.bus.request(subjects.conversationOf, { messageId, userId });
  expect(await ask(messages[0]._id, 'bob')).toEqual({ conversationId });
  const refusal = { code: 'NOT_FOUND', message: 'Message not found' };
  await expect(ask(messages[0]._id, 'mallory')).rejects.toMatchObject(refusal);
  await expect(ask(uuidv7(), 'mallory')).rejects.toMatchObject(refusal);
  await expect(ask('x', 'bob')).rejects.toMatchObject({ code: 'VALIDATION' });
});
