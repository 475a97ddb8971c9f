import type { ChatError } from './chat-error.ts';
import type { ConnectionState } from './connection.ts';
import type { PendingMessage } from './pending-message.ts';
import type { PresenceChange } from './presence.ts';
import type {
  FriendRequest,
  FriendRequestUpdate,
  MembershipChange,
  Message,
  ReactionUpdate,
  ReadUpdate,
} from './shapes.ts';

/** What `client.on(name, listener)` tells, by name. */
export interface ChatEvents {
  state: ConnectionState;
  /** Came into a conversation's list: in order, each once, live or caught up, one's own too. */
  message: Message;
  /** Something that a view of this conversation shows has changed. */
  conversation: { conversationId: string };
  joined: { conversationId: string };
  left: { conversationId: string };
  /** A message of one's own is new, or its state has changed. */
  outbox: PendingMessage;
  typing: { conversationId: string; userIds: string[] };
  presence: PresenceChange;
  reaction: ReactionUpdate;
  read: ReadUpdate;
  member: MembershipChange & { conversationId: string };
  friendRequest: FriendRequest;
  friendRequestUpdate: FriendRequestUpdate;
  /** Something failed. What `retryable` says is tried again by itself. */
  error: ChatError;
}
