import type { MessageId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { heard, newConversationId, startGateway } from './gateway-fixture.ts';

const newMessageId = () => uuidv7() as MessageId;

test('a mark is a command of its conversation, answered with what is unread', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice');
  const [conversationId, messageId] = [newConversationId(), newMessageId()];
  expect(await client.emitWithAck('mark_read', { conversationId, messageId })).toEqual({
    success: true,
    unread: 3,
  });
  expect(gateway.handledOthers).toEqual([
    { kind: 'read', conversationId, messageId, userId: 'alice', ref: expect.any(String) },
  ]);
});

test('a reaction goes where its message is, under a name of its own', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice');
  const [conversationId, messageId] = [newConversationId(), newMessageId()];
  gateway.conversationsOfMessages.set(messageId, conversationId);
  const emit = () => client.emitWithAck('send_reaction', { messageId, reactionType: 'haha' });
  const reactions = [{ userId: 'alice', type: 'haha' }];
  expect(await emit()).toEqual({ success: true, reactions });
  await emit();
  const [first, second] = gateway.handledOthers;
  expect(first).toMatchObject({ kind: 'reaction', conversationId, messageId, userId: 'alice' });
  const names = [first, second].map((request) =>
    request?.kind === 'reaction' ? request.requestId : null,
  );
  expect(new Set(names).size).toBe(2);
});

test('reactions of one socket keep their order, however long each question takes', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice');
  const conversationId = newConversationId();
  const ids = Array.from({ length: 5 }, newMessageId);
  for (const messageId of ids) {
    gateway.conversationsOfMessages.set(messageId, conversationId);
  }
  const first = Promise.withResolvers<void>();
  gateway.questions.beforeAnswer = async (messageId) => {
    if (messageId === ids[0]) {
      await first.promise;
    }
  };
  const unknown = newMessageId();
  const answers = [...ids.slice(0, 2), unknown, ...ids.slice(2)].map((messageId) =>
    client.emitWithAck('send_reaction', { messageId, reactionType: 'like' }),
  );
  await waitFor(() => gateway.questions.asked === 6);
  expect(gateway.handledOthers).toEqual([]);
  first.resolve();
  const settled = await Promise.all(answers);
  expect(settled.map(({ success }) => success)).toEqual([true, true, false, true, true, true]);
  expect(gateway.handledOthers.map(({ messageId }) => messageId)).toEqual(ids);
});

test('what is refused is told, with a callback and without one', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice');
  const errors = heard<{ event: string; code: string }>(client, 'chat_error');
  const unknown = { messageId: newMessageId(), reactionType: 'like' };
  const error = { code: 'NOT_FOUND', message: 'Message not found', retryable: false };
  expect(await client.emitWithAck('send_reaction', unknown)).toEqual({ success: false, error });
  client.emit('send_reaction', unknown);
  await waitFor(() => errors.length === 1);
  client.emit('send_reaction', { messageId: newMessageId(), reactionType: 'applause' });
  await waitFor(() => errors.length === 2);
  client.emit('mark_read', { conversationId: newConversationId() });
  await waitFor(() => errors.length === 3);
  expect(errors.map(({ event, code }) => [event, code])).toEqual([
    ['send_reaction', 'NOT_FOUND'],
    ['send_reaction', 'VALIDATION'],
    ['mark_read', 'VALIDATION'],
  ]);
  expect(gateway.handledOthers).toEqual([]);
});

test('without a message-service a reaction is UNAVAILABLE, and too many at once are OVERLOADED', async () => {
  await using gateway = await startGateway({ REQUEST_RATE: 10_000, REQUEST_BURST: 10_000 });
  const client = await gateway.connect('alice');
  const never = Promise.withResolvers<void>();
  gateway.questions.beforeAnswer = () => never.promise;
  const answers = Array.from({ length: 1001 }, () =>
    client.emitWithAck('send_reaction', { messageId: newMessageId(), reactionType: 'like' }),
  );
  const codes = (await Promise.all(answers)).map(({ error }) => error.code);
  expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(1);
  expect(codes.filter((code) => code === 'UNAVAILABLE')).toHaveLength(1000);
  never.resolve();
});
