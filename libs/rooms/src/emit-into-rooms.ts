import type { Namespace } from 'socket.io';
import { conversationRoom, userRoom } from './room-names.ts';
import type { EmitOptions, RoomEmitter } from './rooms.ts';

/** What Socket.IO calls flags of a broadcast, and one of ours. */
export interface TracedFlags {
  traceparent?: string;
}

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
  const emit = (room: string, event: string, payload: unknown, options?: EmitOptions): void => {
    try {
      const inRoom = namespace()?.to(room);
      const except = options?.exceptSocketId;
      const target = except === undefined ? inRoom : inRoom?.except(except);
      if (options?.traceparent !== undefined && target !== undefined) {
        // Flags travel beside the packet: other processes get them, clients do not.
        (target as unknown as { flags: TracedFlags }).flags.traceparent = options.traceparent;
      }
      target?.emit(event, payload);
    } catch (error) {
      report(error);
    }
  };
  return {
    toConversation: (conversationId, event, payload, options) =>
      emit(conversationRoom(conversationId), event, payload, options),
    toUser: (userId, event, payload) => emit(userRoom(userId), event, payload),
  };
}
