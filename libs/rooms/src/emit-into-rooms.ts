import type { Namespace } from 'socket.io';
import { conversationRoom, userRoom } from './room-names.ts';
import type { RoomEmitter } from './rooms.ts';

/**
 * Emits through the namespace that `namespace()` names at that moment, to one room per emit: the
 * sharded adapter sends an emit to several rooms to every gateway.
 *
 * @param namespace null when nobody could hear it
 * @param report gets what went wrong, a payload that cannot be serialised for instance
 */
export function createRoomEmitter(
  namespace: () => Namespace | null,
  report: (error: unknown) => void,
): RoomEmitter {
  const emit = (room: string, event: string, payload: unknown, exceptSocketId?: string): void => {
    try {
      const target = namespace()?.to(room);
      if (exceptSocketId === undefined) {
        target?.emit(event, payload);
      } else {
        target?.except(exceptSocketId).emit(event, payload);
      }
    } catch (error) {
      report(error);
    }
  };
  return {
    toConversation: (conversationId, event, payload, options) =>
      emit(conversationRoom(conversationId), event, payload, options?.exceptSocketId),
    toUser: (userId, event, payload) => emit(userRoom(userId), event, payload),
  };
}
