import type { ErrorCode, WireError } from './errors.ts';
import type { FriendRequestEvent, FriendRequestUpdate } from './friendship.ts';
import type { ConversationId, MessageId, UserId } from './ids.ts';
import type { Message, Reaction } from './message.ts';
import type { OnlineStatus } from './presence.ts';

/** What a callback is given when its emit failed. */
export type Failure = { success: false; error: WireError };

export type SendMessageAck = (answer: { success: true; message: Message } | Failure) => void;
export type JoinConversationAck = (
  answer: { success: true; conversationId: ConversationId; lastSeq: number } | Failure,
) => void;
export type LeaveConversationAck = (answer: { success: true } | Failure) => void;
/** `unread`: messages of this conversation that are still unread. */
export type MarkReadAck = (answer: { success: true; unread: number } | Failure) => void;
/** `reactions`: all that the message has now. */
export type SendReactionAck = (answer: { success: true; reactions: Reaction[] } | Failure) => void;
/** `expiresAt`: ISO 8601 UTC with milliseconds. */
export type RefreshTokenAck = (answer: { success: true; expiresAt: string } | Failure) => void;

/** Payloads are unknown until a schema has looked at them: they come from outside. */
export interface ClientToServerEvents {
  send_message: (payload: unknown, ack?: SendMessageAck) => void;
  typing: (payload: unknown) => void;
  join_conversation: (payload: unknown, ack?: JoinConversationAck) => void;
  leave_conversation: (payload: unknown, ack?: LeaveConversationAck) => void;
  mark_read: (payload: unknown, ack?: MarkReadAck) => void;
  send_reaction: (payload: unknown, ack?: SendReactionAck) => void;
  refresh_token: (payload: unknown, ack?: RefreshTokenAck) => void;
}

export interface ChatErrorEvent {
  event: string;
  code: ErrorCode;
  message: string;
  retryable: boolean;
  conversationId?: string;
  clientMessageId?: string;
}

/** A user has read up to this message. Marks only go forward: of several, the greatest `seq` holds. */
export interface MessageReadUpdate {
  conversationId: ConversationId;
  userId: UserId;
  messageId: MessageId;
  seq: number;
}

/** All reactions that the message has now, in the order in which they came. */
export interface ReactionUpdate {
  conversationId: ConversationId;
  messageId: MessageId;
  reactions: Reaction[];
}

export interface ServerToClientEvents {
  message_sent_confirm: (message: Message) => void;
  receive_message: (message: Message) => void;
  typing: (typing: { conversationId: ConversationId; userId: UserId; isTyping: boolean }) => void;
  user_online_status: (status: OnlineStatus) => void;
  presence_snapshot: (snapshot: { online: UserId[] }) => void;
  friend_request: (request: FriendRequestEvent) => void;
  friend_request_update: (update: FriendRequestUpdate) => void;
  message_read_update: (update: MessageReadUpdate) => void;
  reaction_update: (update: ReactionUpdate) => void;
  conversation_joined: (payload: { conversationId: ConversationId }) => void;
  conversation_left: (payload: { conversationId: ConversationId }) => void;
  resync: (payload: { reason: string }) => void;
  chat_error: (error: ChatErrorEvent) => void;
}

/** `data` of a `connect_error`. */
export interface ConnectErrorData {
  code: ErrorCode;
  retryable: boolean;
}
