import type { ConversationId } from '@bambochat/protocol';
import { conversationIdOf, type Rooms } from '@bambochat/rooms';
import type { ChatServer } from './chat-socket.ts';

/** How far the sockets of this gateway have heard, in each conversation that has a room here. */
export interface HeardMessages {
  /** The greatest `seq` that went out to them; undefined when nothing was said since there is a room. */
  lastSeq(conversationId: ConversationId): number | undefined;
  stop(): void;
}

/** Costs one entry for each room here in which something was said. */
export function createHeardMessages(options: {
  server: ChatServer;
  rooms: Pick<Rooms, 'onRemoteEvent'>;
}): HeardMessages {
  const { adapter } = options.server.of('/');
  const heard = new Map<ConversationId, number>();

  function forget(room: string): void {
    const conversationId = conversationIdOf(room);
    if (conversationId !== null) {
      heard.delete(conversationId);
    }
  }

  adapter.on('delete-room', forget);
  const events = options.rooms.onRemoteEvent((remote) => {
    const conversationId =
      remote.event === 'receive_message' ? conversationIdOf(remote.room) : null;
    if (conversationId === null) {
      return;
    }
    // Ours: no schema on the path of every message.
    const seq = (remote.message ?? (remote.payload() as { seq: number })).seq;
    if (seq > (heard.get(conversationId) ?? 0)) {
      heard.set(conversationId, seq);
    }
  });

  return {
    lastSeq: (conversationId) => heard.get(conversationId),
    stop() {
      adapter.off('delete-room', forget);
      events.unsubscribe();
      heard.clear();
    },
  };
}
