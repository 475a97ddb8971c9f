import { randomBytes } from 'node:crypto';
import {
  clientMessageIdSchema,
  conversationIdSchema,
  type Friendship,
  friendshipIdSchema,
  type Message,
  messageIdSchema,
  type UserId,
  userIdSchema,
} from '@bambochat/protocol';
import type { Account, ConversationRecord, Membership, Session } from './directory-store.ts';
import type { UserStatus } from './status-store.ts';

/** Records for tests. Every id is new, so that tests can share one database. */

let counter = 0;

/** A UUIDv7 that is greater than all before it in this process. */
function uuidV7(): string {
  counter += 1;
  const time = Date.now().toString(16).padStart(12, '0');
  const count = counter.toString(16).padStart(8, '0');
  const random = randomBytes(5).toString('hex');
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${count.slice(0, 3)}`,
    `8${count.slice(3, 6)}`,
    `${count.slice(6)}${random}`,
  ].join('-');
}

export const newConversationId = () => conversationIdSchema.parse(uuidV7());
export const newMessageId = () => messageIdSchema.parse(uuidV7());
export const newFriendshipId = () => friendshipIdSchema.parse(uuidV7());
export const newUserId = (prefix = 'user') =>
  userIdSchema.parse(`${prefix}-${randomBytes(8).toString('hex')}`);
export const userId = (id: string) => userIdSchema.parse(id);
export const clientId = (id: string) => clientMessageIdSchema.parse(id);

export function sampleMessage(change: Partial<Message> = {}): Message {
  return {
    _id: newMessageId(),
    conversationId: newConversationId(),
    seq: 1,
    senderId: userId('sender'),
    content: 'hello',
    clientMessageId: clientId(uuidV7()),
    reactions: [],
    createdAt: '2026-03-01T12:30:00.123Z',
    ...change,
  };
}

/** Messages `from` … `to` of one conversation, one second apart. */
export function sampleRun(
  conversationId: Message['conversationId'],
  from: number,
  to: number,
  change: Partial<Message> = {},
): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    const createdAt = new Date(Date.UTC(2026, 2, 1) + seq * 1000).toISOString();
    return sampleMessage({ conversationId, seq, content: `message ${seq}`, createdAt, ...change });
  });
}

export function sampleAccount(change: Partial<Account> = {}): Account {
  const _id = change._id ?? newUserId();
  return {
    _id,
    email: `${newUserId('Mail')}@Example.org`,
    passwordHash: '$scrypt$sample',
    displayName: `Name of ${_id}`,
    bio: '',
    avatar: null,
    isVerified: false,
    createdAt: '2026-03-01T12:30:00.123Z',
    ...change,
  };
}

export function sampleSession(change: Partial<Session> = {}): Session {
  return {
    _id: uuidV7(),
    userId: newUserId(),
    currentToken: 'token-1',
    createdAt: '2026-03-01T12:30:00.123Z',
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...change,
  };
}

export function sampleConversation(change: Partial<ConversationRecord> = {}): ConversationRecord {
  return {
    _id: newConversationId(),
    type: 'group',
    name: 'A group',
    createdAt: '2026-03-01T12:30:00.123Z',
    updatedAt: '2026-03-01T12:30:00.123Z',
    ...change,
  };
}

export function sampleMembership(change: Partial<Membership> = {}): Membership {
  return {
    conversationId: newConversationId(),
    userId: newUserId(),
    role: 'member',
    joinedAt: '2026-03-01T12:30:00.123Z',
    readSeq: 0,
    ...change,
  };
}

/** What `requesterId` wants of `addresseeId`: friendship, or a block. */
export function sampleProposal(
  requesterId: UserId,
  addresseeId: UserId,
  createdAt = '2026-03-01T12:30:00.123Z',
): Omit<Friendship, 'status'> {
  return { _id: newFriendshipId(), requesterId, addresseeId, createdAt };
}

export function sampleStatus(change: Partial<UserStatus> = {}): UserStatus {
  return {
    userId: newUserId(),
    online: true,
    lastSeenAt: '2026-03-01T12:30:00.123Z',
    changedAt: 1_772_368_200_123,
    ...change,
  };
}
