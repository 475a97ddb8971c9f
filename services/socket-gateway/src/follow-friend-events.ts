import type { EventBus, Subscription } from '@bambochat/messaging';
import { friendEventSchema, subjects } from '@bambochat/protocol';
import { userRoom } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';
import type { ChatServer } from './chat-socket.ts';

/** Every gateway hears every event and hands it to the local sockets of the one it is for. */
export function followFriendEvents(options: {
  server: ChatServer;
  bus: EventBus;
  logger: Logger;
}): Subscription {
  const { server, bus, logger } = options;
  return bus.subscribe(subjects.friendEvents, (payload) => {
    const parsed = friendEventSchema.safeParse(payload);
    if (!parsed.success) {
      logger.error({ err: parsed.error }, 'an event between friends was not understood');
      return;
    }
    const sockets = server.local.to(userRoom(parsed.data.to));
    if (parsed.data.event === 'friend_request') {
      sockets.emit('friend_request', parsed.data.payload);
    } else {
      sockets.emit('friend_request_update', parsed.data.payload);
    }
  });
}
