import { notFound, typingSchema } from '@bambochat/protocol';
import { conversationRoom } from '@bambochat/rooms';
import type { EventDefinition } from './handle-event.ts';

/** Tells the others in the room, if the network has room for it; never stored. */
export function typing(): EventDefinition<typeof typingSchema> {
  return {
    event: 'typing',
    schema: typingSchema,
    rate: 'typing',
    volatile: true,
    handle(socket, { conversationId, isTyping }) {
      const room = conversationRoom(conversationId);
      // Only members are let into the room, and who is removed is taken out of it.
      if (!socket.rooms.has(room)) {
        throw notFound('Conversation');
      }
      const { userId } = socket.data;
      socket.to(room).volatile.emit('typing', { conversationId, userId, isTyping });
    },
  };
}
