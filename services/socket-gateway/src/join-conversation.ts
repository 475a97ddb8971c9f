import { joinConversationSchema, leaveConversationSchema } from '@bambochat/protocol';
import type { ConversationRooms } from './conversation-rooms.ts';
import type { EventDefinition } from './handle-event.ts';

export function joinConversation(
  rooms: ConversationRooms,
): EventDefinition<typeof joinConversationSchema> {
  return {
    event: 'join_conversation',
    schema: joinConversationSchema,
    rate: 'request',
    async handle(socket, { conversationId }, answer) {
      const lastSeq = await rooms.join(socket, conversationId);
      answer.succeed({ conversationId, lastSeq });
    },
  };
}

export function leaveConversation(
  rooms: ConversationRooms,
): EventDefinition<typeof leaveConversationSchema> {
  return {
    event: 'leave_conversation',
    schema: leaveConversationSchema,
    rate: 'request',
    async handle(socket, { conversationId }, answer) {
      await rooms.leave(socket, conversationId);
      answer.succeed({});
    },
  };
}
