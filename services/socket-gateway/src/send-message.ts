import type { CommandBatcher } from '@bambochat/messaging';
import {
  AppError,
  type ClientMessageId,
  type MessageRequest,
  sendMessageSchema,
  toWireError,
} from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import { uuidv7 } from 'uuidv7';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { EventDefinition } from './handle-event.ts';
import type { Typing } from './typing.ts';
import type { UnconfirmedMessages } from './unconfirmed-messages.ts';

/**
 * Hands the message to the command log and waits for its result. Whether the sender is a member is
 * decided by the message-service alone: the room is not the authority, and asking here would let
 * later messages of the socket overtake earlier ones.
 */
export function sendMessage(options: {
  batcher: CommandBatcher<MessageRequest>;
  unconfirmed: UnconfirmedMessages;
  typing: Pick<Typing, 'clear'>;
  metrics: GatewayMetrics;
  logger: Logger;
}): EventDefinition<typeof sendMessageSchema> {
  const { batcher, unconfirmed, typing, metrics } = options;
  let count = 0;

  return {
    event: 'send_message',
    schema: sendMessageSchema,
    rate: 'message',
    handle(socket, payload, answer) {
      if (unconfirmed.full) {
        throw new AppError('OVERLOADED', 'Too many messages are waiting, try again later');
      }
      typing.clear(socket, payload.conversationId);
      count += 1;
      const request: MessageRequest = {
        conversationId: payload.conversationId,
        senderId: socket.data.userId,
        content: payload.content,
        clientMessageId: payload.clientMessageId ?? (uuidv7() as ClientMessageId),
        socketId: socket.id,
        ref: count.toString(36),
      };
      const observe = metrics.confirmDuration.startTimer();
      unconfirmed.add({
        socket,
        request,
        confirm(message) {
          observe();
          socket.emit('message_sent_confirm', message);
          answer.succeed({ message });
        },
        fail(error) {
          answer.fail(new AppError(error.code, error.message));
        },
      });
      batcher.submit(request.conversationId, request).catch((error: unknown) => {
        if (!(error instanceof AppError)) {
          options.logger.error({ err: error }, 'command log refused a message');
        }
        unconfirmed.fail(request.ref, toWireError(error));
      });
    },
  };
}
