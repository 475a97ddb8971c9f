import type { ConversationId, UserId } from '@bambochat/protocol';

const conversationPrefix = 'conversation:';
const userPrefix = 'user:';

/**
 * A name of exactly this many characters looks like a socket id to the sharded adapter, which then
 * publishes to every gateway instead of to those that host the room.
 */
const socketIdLength = 20;

/** The room of everybody who follows a conversation. */
export function conversationRoom(id: ConversationId): string {
  return nameRoom(conversationPrefix, id);
}

/** The room of all sockets of one user. */
export function userRoom(id: UserId): string {
  return nameRoom(userPrefix, id);
}

/** The conversation whose room this is; null for every other room, a socket's own one included. */
export function conversationIdOf(room: string): ConversationId | null {
  if (!room.startsWith(conversationPrefix)) {
    return null;
  }
  const id = room.slice(conversationPrefix.length);
  return (id.startsWith(':') ? id.slice(1) : id) as ConversationId;
}

/** Ids contain no colon, so the longer form of a name can never be the name of another id. */
function nameRoom(prefix: string, id: string): string {
  const name = prefix + id;
  return name.length === socketIdLength ? `${prefix}:${id}` : name;
}
