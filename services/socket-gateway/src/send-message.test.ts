import { AppError, type Message } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { heard, newConversationId, startGateway } from './gateway-fixture.ts';

test('a message is acknowledged and confirmed with what was stored', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  const client = await gateway.connect('alice');
  const confirmed = heard<Message>(client, 'message_sent_confirm');
  const answer = await client.emitWithAck('send_message', {
    conversationId,
    content: ' hello ',
    clientMessageId: 'mine',
  });
  expect(answer).toMatchObject({
    success: true,
    message: { content: ' hello ', senderId: 'alice', clientMessageId: 'mine', seq: 1 },
  });
  expect(confirmed).toEqual([answer.message]);
});

test('without a callback the confirmation comes as an event, and a failure as chat_error', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice');
  const [confirmed, errors] = [heard(client, 'message_sent_confirm'), heard(client, 'chat_error')];
  client.emit('send_message', { conversationId: newConversationId(), content: 'hello' });
  await waitFor(() => confirmed.length === 1);
  const conversationId = newConversationId();
  client.emit('send_message', { conversationId, content: '  ', clientMessageId: 'empty' });
  await waitFor(() => errors.length === 1);
  expect(errors).toEqual([
    {
      event: 'send_message',
      code: 'VALIDATION',
      message: 'content: must not be empty',
      retryable: false,
      conversationId,
      clientMessageId: 'empty',
    },
  ]);
});

test('200 messages fired without waiting reach the log in their order', async () => {
  await using gateway = await startGateway();
  const conversationId = newConversationId();
  const client = await gateway.connect('alice');
  const contents = Array.from({ length: 200 }, (_, index) => `message ${index}`);
  await Promise.all(
    contents.map((content) => client.emitWithAck('send_message', { conversationId, content })),
  );
  expect(gateway.handled.map(({ content }) => content)).toEqual(contents);
});

test('what the message-service refuses is answered with its error', async () => {
  await using gateway = await startGateway();
  gateway.answerWith((requests) =>
    requests.map(({ ref }) => ({
      ref,
      error: { code: 'NOT_FOUND', message: 'Conversation not found', retryable: false },
    })),
  );
  const client = await gateway.connect('alice');
  expect(
    await client.emitWithAck('send_message', { conversationId: newConversationId(), content: 'x' }),
  ).toEqual({
    success: false,
    error: { code: 'NOT_FOUND', message: 'Conversation not found', retryable: false },
  });
});

test('messages over the rate are answered RATE_LIMITED, never with silence', async () => {
  await using gateway = await startGateway({ MESSAGE_RATE: 0.1, MESSAGE_BURST: 3 });
  const first = await gateway.connect('alice');
  const second = await gateway.connect('alice');
  const other = await gateway.connect('bob');
  const send = (client: typeof first) =>
    client.emitWithAck('send_message', { conversationId: newConversationId(), content: 'x' });
  const answers = [await send(first), await send(second), await send(first), await send(second)];
  expect(answers.map(({ success }) => success)).toEqual([true, true, true, false]);
  expect(answers[3].error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  const errors = heard<{ code: string }>(first, 'chat_error');
  first.emit('send_message', { conversationId: newConversationId(), content: 'x' });
  await waitFor(() => errors.length === 1);
  expect(errors[0]?.code).toBe('RATE_LIMITED');
  expect((await send(other)).success).toBe(true);
});

test('messages beyond the bound of unconfirmed ones are answered OVERLOADED', async () => {
  await using gateway = await startGateway({ MAX_UNCONFIRMED: 2 }, { drainTimeout: 100 });
  gateway.answerWith(() => []);
  const client = await gateway.connect('alice');
  const conversationId = newConversationId();
  client.emit('send_message', { conversationId, content: '1' });
  client.emit('send_message', { conversationId, content: '2' });
  expect(await client.emitWithAck('send_message', { conversationId, content: '3' })).toMatchObject({
    success: false,
    error: { code: 'OVERLOADED', retryable: true },
  });
  client.disconnect();
});

test('a command log that is away is answered UNAVAILABLE after the time to accept', async () => {
  const commandLog = {
    partitions: 1,
    append: () => Promise.reject(new AppError('UNAVAILABLE', 'The queue is not available')),
  };
  await using gateway = await startGateway(
    { ACCEPT_TIMEOUT: 200 },
    { commandLog: commandLog as never },
  );
  const client = await gateway.connect('alice');
  expect(
    await client.emitWithAck('send_message', { conversationId: newConversationId(), content: 'x' }),
  ).toMatchObject({ success: false, error: { code: 'UNAVAILABLE', retryable: true } });
});
