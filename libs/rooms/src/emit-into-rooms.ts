import type { Message } from '@bambochat/protocol';
import type { Namespace } from 'socket.io';
import { conversationRoom, userRoom } from './room-names.ts';
import type { EmitOptions, MessageFlags, RoomEmitter } from './rooms.ts';

/**
 * What Socket.IO calls flags travels beside the packet: other processes get it, clients do not. These
 * are ours. Processes of a neighbouring version may not know them, and may not send them.
 */
export interface BroadcastFlags {
  /** W3C `traceparent`. */
  traceparent?: string;
  /** Of a `receive_message`: who only looks at these need not parse it. */
  message?: MessageFlags;
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
      if (target === undefined) {
        return;
      }
      const { flags } = target as unknown as { flags: BroadcastFlags };
      if (options?.traceparent !== undefined) {
        flags.traceparent = options.traceparent;
      }
      if (event === 'receive_message') {
        const { seq, createdAt } = payload as Message;
        flags.message = { seq, createdAt };
      }
      target.emit(event, payload);
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
