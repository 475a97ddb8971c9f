/**
 * What crosses the wire, in plain types: what is published must not need the schemas. That they
 * agree with `@bambochat/protocol` is checked by `shapes.test.ts` whenever types are checked.
 */

export type ReactionType = 'like' | 'love' | 'haha' | 'sad' | 'angry';
export type Role = 'admin' | 'member';

export interface Reaction {
  userId: string;
  type: ReactionType;
}

export interface Message {
  _id: string;
  conversationId: string;
  /** 1, 2, 3 … in its conversation: the order, the same for everyone. */
  seq: number;
  senderId: string;
  content: string;
  clientMessageId: string;
  reactions: Reaction[];
  /** ISO 8601 UTC with milliseconds, as all times on the wire. */
  createdAt: string;
}

export interface MessagesPage {
  messages: Message[];
  hasMore: boolean;
  lastSeq: number;
}

export interface ReadMark {
  userId: string;
  messageId: string;
  seq: number;
}

export interface MembershipChange {
  userId: string;
  member: boolean;
  role: Role | null;
}

export interface ConversationNews {
  conversationId: string;
  messages: Message[];
  reactions: { messageId: string; reactions: Reaction[] }[];
  readMarks: ReadMark[];
  members: MembershipChange[];
  reset: boolean;
  lastSeq: number;
  unread: number;
}

export interface SyncAnswer {
  conversations: ConversationNews[];
  left: string[];
  token: string;
  hasMore: boolean;
}

export interface Participant {
  _id: string;
  displayName: string;
  avatar: string | null;
  bio: string;
  role: Role;
}

export interface Conversation {
  _id: string;
  type: 'direct_message' | 'group';
  name: string | null;
  participants: Participant[];
  lastMessage: { content: string; senderId: string; createdAt: string } | null;
  lastSeq: number;
  unread: number;
  createdAt: string;
  updatedAt: string;
}

export interface User {
  _id: string;
  displayName: string;
  bio: string;
  avatar: string | null;
  createdAt: string;
}

export interface OwnUser extends User {
  email: string;
  isVerified: boolean;
}

export interface Friendship {
  _id: string;
  requesterId: string;
  addresseeId: string;
  status: 'pending' | 'accepted' | 'blocked';
  createdAt: string;
}

export interface FriendRequest extends Friendship {
  requester: { _id: string; displayName: string; avatar: string | null };
}

export interface FriendRequestUpdate extends Omit<Friendship, 'status'> {
  status: 'accepted' | 'rejected';
}

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
}

export interface LoginAnswer extends TokenPair {
  user: { _id: string; id: string; email: string; displayName: string };
}

export interface OnlineStatus {
  userId: string;
  online: boolean;
  lastSeenAt: string;
}

export interface ReadUpdate extends ReadMark {
  conversationId: string;
}

export interface ReactionUpdate {
  conversationId: string;
  messageId: string;
  reactions: Reaction[];
}
