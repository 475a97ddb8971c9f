import type { EventBus, Subscription } from '@bambochat/messaging';
import { sessionEndedSchema, subjects } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { ConversationRooms } from './conversation-rooms.ts';

/** Ends the sockets of sessions that end. What is missed while the bus is away, reconciling finds. */
export function followSessions(options: {
  bus: EventBus;
  rooms: Pick<ConversationRooms, 'endSession'>;
  logger: Logger;
}): Subscription {
  return options.bus.subscribe(subjects.sessionEnded, (payload) => {
    const ended = sessionEndedSchema.safeParse(payload);
    if (ended.success) {
      options.rooms.endSession(ended.data.userId, ended.data.sessionId);
    } else {
      options.logger.error('an ended session was not understood');
    }
  });
}
