import { markReadSchema } from '@bambochat/protocol';
import type { EventDefinition } from './handle-event.ts';
import type { SubmitRequest } from './submit-request.ts';

/** As with a message, what a mark may do is decided by the message-service alone. */
export function markRead(submit: SubmitRequest): EventDefinition<typeof markReadSchema> {
  return {
    event: 'mark_read',
    schema: markReadSchema,
    rate: 'request',
    handle(socket, { conversationId, messageId }, answer) {
      submit(
        socket,
        { kind: 'read', conversationId, userId: socket.data.userId, messageId },
        answer,
        (result) => {
          if ('unread' in result) {
            answer.succeed({ unread: result.unread });
          } else {
            answer.fail(new Error('The result of a mark does not say what is unread'));
          }
        },
      );
    },
  };
}
