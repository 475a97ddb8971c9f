import type {
  ClientMessageId,
  ConversationId,
  ConversationType,
  Friendship,
  FriendshipId,
  MessageId,
  Reaction,
  Role,
  UserId,
} from '@bambochat/protocol';
import type { Binary, Collection, Db, IndexDescription } from 'mongodb';
import type { Reactor } from './reaction-rules.ts';
import type { Change } from './sync-store.ts';

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
  /** Only where somebody reacted: what `reactions` is made of, and how often it was written. */
  reactors?: Reactor[];
  reactionRevision?: number;
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

export interface FriendshipDocument {
  /** The pair; see `friendship-rules.ts`. */
  _id: string;
  friendshipId: FriendshipId;
  requesterId: UserId;
  addresseeId: UserId;
  status: Friendship['status'];
  createdAt: Date;
  /** Who of the two blocks the other; empty unless `status` is `blocked`. */
  blocks: readonly BlockEntry[];
  /** Another with every write: tells whether the document is still the one that was read. */
  revision: string;
}

export interface BlockEntry {
  by: UserId;
  friendshipId: FriendshipId;
  createdAt: Date;
}

export interface StatusDocument {
  _id: UserId;
  online: boolean;
  lastSeenAt: Date;
  changedAt: number;
}

/** The only one: when presence was looked after last. */
export interface AliveDocument {
  _id: 'alive';
  at: Date;
}

/** The journal of one conversation. */
export interface JournalDocument {
  _id: ConversationId;
  revision: number;
  /** Absent in what was written before it was noted. */
  changedAt?: Date;
  /** The newest revision that is not kept any more; 0: all are. */
  forgotten: number;
  /** Rising. */
  changes: JournalEntry[];
}

export type JournalEntry = Change & { revision: number };

/** Where one client is. */
export interface PlaceDocument {
  _id: string;
  userId: UserId;
  expiresAt: Date;
  /** The newest place whose number is even, and the newest whose number is odd. */
  even?: PlaceSlot;
  odd?: PlaceSlot;
}

export interface PlaceSlot {
  number: number;
  bytes: Binary;
}

export interface Collections {
  readonly messages: Collection<MessageDocument>;
  readonly heads: Collection<HeadDocument>;
  readonly users: Collection<UserDocument>;
  readonly sessions: Collection<SessionDocument>;
  readonly conversations: Collection<ConversationDocument>;
  readonly memberships: Collection<MembershipDocument>;
  readonly friendships: Collection<FriendshipDocument>;
  readonly statuses: Collection<StatusDocument>;
  readonly presence: Collection<AliveDocument>;
  readonly journals: Collection<JournalDocument>;
  readonly places: Collection<PlaceDocument>;
}

export function collectionsOf(database: Db): Collections {
  return {
    messages: database.collection('messages'),
    heads: database.collection('heads'),
    users: database.collection('users'),
    sessions: database.collection('sessions'),
    conversations: database.collection('conversations'),
    memberships: database.collection('memberships'),
    friendships: database.collection('friendships'),
    statuses: database.collection('statuses'),
    presence: database.collection('presence'),
    journals: database.collection('journals'),
    places: database.collection('places'),
  };
}

/** Every index that the stores rely on, besides `_id`. A unique one is a fence, never a hint. */
export const indexes: {
  readonly [Name in Exclude<
    keyof Collections,
    'heads' | 'presence' | 'journals'
  >]: readonly IndexDescription[];
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
  // The `_id` makes one document of a pair. Each of the next two answers three questions: friends,
  // whom it names without reading a document, how many they are, and open requests in order.
  friendships: [
    { name: 'friendship', key: { friendshipId: 1, addresseeId: 1 } },
    {
      name: 'asked',
      key: { status: 1, requesterId: 1, createdAt: -1, friendshipId: -1, addresseeId: 1 },
    },
    {
      name: 'asking',
      key: { status: 1, addresseeId: 1, createdAt: -1, friendshipId: -1, requesterId: 1 },
    },
    {
      name: 'blocks',
      key: { 'blocks.by': 1 },
      partialFilterExpression: { status: 'blocked' },
    },
  ],
  places: [
    { name: 'expiry', key: { expiresAt: 1 }, expireAfterSeconds: 0 },
    { name: 'of_user', key: { userId: 1, expiresAt: -1 } },
  ],
  statuses: [
    { name: 'online', key: { online: 1, _id: 1 }, partialFilterExpression: { online: true } },
  ],
};

/** Creates the collections and indexes that are missing; any number of replicas may do so at once. */
export async function createIndexes(database: Db): Promise<void> {
  for (const [name, descriptions] of Object.entries(indexes)) {
    await database.collection(name).createIndexes([...descriptions]);
  }
}
