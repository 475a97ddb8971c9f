import { partitionOf } from '@bambochat/messaging';
import { AppError, type Message, subjects, type UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { newConversationId, request } from './message-fixture.ts';
import { startService } from './running-service.fixture.ts';

test('stores, tells the room except the sending socket, and confirms', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice', 'bob');
  const sent = request(conversationId);
  await service.append([sent]);
  const result = await service.resultOf(sent.ref);
  const [stored] = await service.stores.messageStore.page(conversationId, { limit: 10 });
  expect(stored).toMatchObject({ seq: 1, content: sent.content, senderId: 'alice' });
  expect(result).toEqual({ ref: sent.ref, message: stored });
  expect(service.emitted).toEqual([
    { conversationId, event: 'receive_message', payload: stored, exceptSocketId: sent.socketId },
  ]);
});

test('echoes to the sending socket where it was asked for', async () => {
  await using service = await startService({ echoToSender: true });
  const conversationId = await service.conversationOf('alice');
  const sent = request(conversationId);
  await service.append([sent]);
  await service.resultOf(sent.ref);
  expect(service.emitted.map(({ exceptSocketId }) => exceptSocketId)).toEqual([undefined]);
});

test('answers absent and forbidden alike, stores nothing, and serves the neighbours', async () => {
  await using service = await startService();
  const ours = await service.conversationOf('alice');
  const forbidden = await service.conversationOf('bob');
  const batch = [request(forbidden), request(newConversationId()), request(ours)];
  await service.append(batch);
  await service.resultOf(batch[2]?.ref ?? '');
  const error = { code: 'NOT_FOUND', message: 'Conversation not found', retryable: false };
  expect(service.results).toEqual([
    { ref: batch[0]?.ref, error },
    { ref: batch[1]?.ref, error },
    { ref: batch[2]?.ref, message: expect.objectContaining({ seq: 1 }) },
  ]);
  expect(await service.stores.messageStore.page(forbidden, { limit: 10 })).toEqual([]);
});

test('a retry is confirmed with the first message and not shown again', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice');
  const sent = request(conversationId);
  const retry = { ...sent, ref: `${sent.ref}-retry`, socketId: 'another-socket' };
  await service.append([sent]);
  await service.append([retry]);
  const [first, second] = [await service.resultOf(sent.ref), await service.resultOf(retry.ref)];
  expect(second).toEqual({ ...first, ref: retry.ref });
  expect(service.emitted).toHaveLength(1);
});

test('a command that died after the write and before the broadcast is broadcast again', async () => {
  let failures = 1;
  await using service = await startService({
    wrapStore: (store) => ({
      ...store,
      async insert(messages) {
        const outcome = await store.insert(messages);
        if (failures > 0) {
          failures -= 1;
          throw new AppError('UNAVAILABLE', 'the answer was lost');
        }
        return outcome;
      },
    }),
  });
  const conversationId = await service.conversationOf('alice');
  const sent = request(conversationId);
  await service.append([sent]);
  const result = await service.resultOf(sent.ref);
  expect(result).toMatchObject({ message: { seq: 1 } });
  expect(service.emitted).toHaveLength(1);
  expect(await service.stores.messageStore.page(conversationId, { limit: 10 })).toHaveLength(1);
});

test('an unreachable store means waiting, never an error to the sender', async () => {
  let down = true;
  let tries = 0;
  await using service = await startService({
    wrapStore: (store) => ({
      ...store,
      async insert(messages) {
        tries += 1;
        if (down) {
          throw new AppError('UNAVAILABLE', 'the store is away');
        }
        return store.insert(messages);
      },
    }),
  });
  const conversationId = await service.conversationOf('alice');
  const sent = [request(conversationId), request(conversationId)];
  for (const one of sent) {
    await service.append([one]);
  }
  // More tries than a command that fails by itself would get.
  await waitFor(() => tries > 8, { timeout: 20_000 });
  expect(service.results).toEqual([]);
  down = false;
  await service.resultOf(sent[1]?.ref ?? '');
  const page = await service.stores.messageStore.page(conversationId, { limit: 10 });
  expect(page.map(({ content }) => content)).toEqual(sent.map(({ content }) => content));
  expect(await service.commandLog.deadLetters(10)).toEqual([]);
});

test('a message that fails by itself becomes a dead letter without its neighbours', async () => {
  await using service = await startService({
    wrapStore: (store) => ({
      ...store,
      async insert(messages) {
        if (messages.some((message: Message) => message.content === 'poison')) {
          throw new Error('driver bug');
        }
        return store.insert(messages);
      },
    }),
  });
  const conversationId = await service.conversationOf('alice');
  const batch = [
    request(conversationId),
    request(conversationId, { content: 'poison' }),
    request(conversationId),
  ];
  await service.append(batch);
  await service.resultOf(batch[2]?.ref ?? '');
  expect(await service.resultOf(batch[1]?.ref ?? '')).toMatchObject({
    error: { code: 'INTERNAL', message: 'Internal error' },
  });
  const page = await service.stores.messageStore.page(conversationId, { limit: 10 });
  expect(page.map(({ seq, content }) => [seq, content])).toEqual([
    [1, batch[0]?.content],
    [2, batch[2]?.content],
  ]);
  const [letter] = await service.commandLog.deadLetters(10);
  expect(JSON.parse(new TextDecoder().decode(letter?.command)).requests).toEqual([batch[1]]);
});

test('garbage in the log becomes a dead letter and the partition goes on', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice');
  const partition = partitionOf(conversationId, service.commandLog.partitions);
  await service.commandLog.append(partition, new TextEncoder().encode('{"type":"unknown"}'));
  const sent = request(conversationId);
  await service.append([sent]);
  expect(await service.resultOf(sent.ref)).toMatchObject({ message: { seq: 1 } });
  expect(await service.commandLog.deadLetters(10)).toHaveLength(1);
  const { body } = await service.metrics.render();
  expect(body).toContain('bambochat_dead_letters_total 1');
});

test('a removal announced on the bus is obeyed by the next message', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice', 'bob');
  const before = request(conversationId);
  await service.append([before]);
  await service.resultOf(before.ref);
  await service.stores.directoryStore.removeParticipant(conversationId, 'alice' as UserId);
  service.bus.publish(subjects.membersChanged, { conversationId, added: [], removed: ['alice'] });
  await service.bus.flush();
  const after = request(conversationId);
  await service.append([after]);
  expect(await service.resultOf(after.ref)).toMatchObject({ error: { code: 'NOT_FOUND' } });
});
