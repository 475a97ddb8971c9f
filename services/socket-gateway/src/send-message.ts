import { type ClientMessageId, sendMessageSchema } from '@bambochat/protocol';
import { uuidv7 } from 'uuidv7';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { EventDefinition } from './handle-event.ts';
import { inOneWrite } from './raw-web-socket.ts';
import type { SubmitRequest } from './submit-request.ts';
import type { Typing } from './typing.ts';

/**
 * Hands the message to the command log and waits for its result. Whether the sender is a member is
 * decided by the message-service alone: the room is not the authority, and asking here would let
 * later messages of the socket overtake earlier ones.
 */
export function sendMessage(options: {
  submit: SubmitRequest;
  typing: Pick<Typing, 'clear'>;
  metrics: GatewayMetrics;
}): EventDefinition<typeof sendMessageSchema> {
  const { submit, typing, metrics } = options;

  return {
    event: 'send_message',
    schema: sendMessageSchema,
    rate: 'message',
    handle(socket, { conversationId, content, clientMessageId }, answer) {
      const observe = metrics.confirmDuration.startTimer();
      submit(
        socket,
        {
          kind: 'message',
          conversationId,
          senderId: socket.data.userId,
          content,
          clientMessageId: clientMessageId ?? (uuidv7() as ClientMessageId),
          socketId: socket.id,
        },
        answer,
        (result) => {
          if (!('message' in result)) {
            answer.fail(new Error('The result of a message holds none'));
            return;
          }
          observe();
          const { message } = result;
          inOneWrite(socket.conn, () => {
            socket.emit('message_sent_confirm', message);
            answer.succeed({ message });
          });
        },
      );
      typing.clear(socket, conversationId);
    },
  };
}
