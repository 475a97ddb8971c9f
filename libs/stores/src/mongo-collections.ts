import type {
  ClientMessageId,
  ConversationId,
  ConversationType,
  MessageId,
  Reaction,
  Role,
  UserId,
} from '@bambochat/protocol';
import type { Collection, Db, IndexDescription } from 'mongodb';

/** The documents. Times are dates here and ISO text in the ports. */
export interface MessageDocument {
  _id: MessageId;
  conversationId: ConversationId;
  seq: number;
  senderId: UserId;
  content: string;
  clientMessageId: ClientMessageId;
  reactions: Reaction[];
  createdAt: Date;
}

export interface HeadDocument {
  _id: ConversationId;
  lastSeq: number;
  content: string;
  senderId: UserId;
  createdAt: Date;
}

export interface UserDocument {
  _id: UserId;
  email: string;
  emailLower: string;
  passwordHash: string;
  displayName: string;
  bio: string;
  avatar: string | null;
  isVerified: boolean;
  createdAt: Date;
}

export interface SessionDocument {
  _id: string;
  userId: UserId;
  currentToken: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface ConversationDocument {
  _id: ConversationId;
  type: ConversationType;
  name: string | null;
  /** Only direct conversations have one; see `direct-key.ts`. */
  directKey?: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface MembershipDocument {
  /** `<conversationId>:<userId>`: neither can contain a colon. */
  _id: string;
  conversationId: ConversationId;
  userId: UserId;
  role: Role;
  joinedAt: Date;
  readSeq: number;
  /** The place among those who came at the same moment. */
  order: number;
}

export interface Collections {
  readonly messages: Collection<MessageDocument>;
  readonly heads: Collection<HeadDocument>;
  readonly users: Collection<UserDocument>;
  readonly sessions: Collection<SessionDocument>;
  readonly conversations: Collection<ConversationDocument>;
  readonly memberships: Collection<MembershipDocument>;
}

export function collectionsOf(database: Db): Collections {
  return {
    messages: database.collection('messages'),
    heads: database.collection('heads'),
    users: database.collection('users'),
    sessions: database.collection('sessions'),
    conversations: database.collection('conversations'),
    memberships: database.collection('memberships'),
  };
}

/** Every index that the stores rely on, besides `_id`. A unique one is a fence, never a hint. */
export const indexes: {
  readonly [Name in Exclude<keyof Collections, 'heads'>]: readonly IndexDescription[];
} = {
  messages: [
    { name: 'conversation_seq', key: { conversationId: 1, seq: 1 }, unique: true },
    {
      name: 'conversation_sender_client_id',
      key: { conversationId: 1, senderId: 1, clientMessageId: 1 },
      unique: true,
    },
  ],
  users: [{ name: 'email', key: { emailLower: 1 }, unique: true }],
  // MongoDB deletes what has expired within about a minute; reads do not wait for it.
  sessions: [{ name: 'expiry', key: { expiresAt: 1 }, expireAfterSeconds: 0 }],
  conversations: [
    {
      name: 'direct_key',
      key: { directKey: 1 },
      unique: true,
      // Groups have no key, and must not all collide on `null`.
      partialFilterExpression: { directKey: { $exists: true } },
    },
  ],
  memberships: [
    { name: 'participants', key: { conversationId: 1, joinedAt: 1, order: 1, userId: 1 } },
    { name: 'conversations', key: { userId: 1, joinedAt: -1, conversationId: -1 } },
  ],
};

/** Creates the collections and indexes that are missing; any number of replicas may do so at once. */
export async function createIndexes(database: Db): Promise<void> {
  for (const [name, descriptions] of Object.entries(indexes)) {
    await database.collection(name).createIndexes([...descriptions]);
  }
}
