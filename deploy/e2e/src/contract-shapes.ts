import { expect } from 'vitest';
import type { RestAnswer } from './rest-client.ts';

/*
 * The data of PROTOCOL.md, written down a second time on purpose: a suite that took the types of
 * the implementation would change with it.
 */

export interface Message {
  readonly _id: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly senderId: string;
  readonly content: string;
  readonly clientMessageId: string;
  readonly reactions: readonly Reaction[];
  readonly createdAt: string;
}

export interface Reaction {
  readonly userId: string;
  readonly type: string;
}

/** How far somebody has read. */
export interface ReadMark {
  readonly userId: string;
  readonly messageId: string;
  readonly seq: number;
}

/** One conversation in an answer of `GET /sync`. */
export interface ConversationNews {
  readonly conversationId: string;
  readonly messages: readonly Message[];
  readonly reactions: readonly { messageId: string; reactions: readonly Reaction[] }[];
  readonly readMarks: readonly ReadMark[];
  readonly members: readonly { userId: string; member: boolean; role: string | null }[];
  readonly reset: boolean;
  readonly lastSeq: number;
  readonly unread: number;
}

/** Answer of `GET /sync`. */
export interface SyncAnswer {
  readonly conversations: readonly ConversationNews[];
  readonly left: readonly string[];
  readonly token: string;
  readonly hasMore: boolean;
}

export interface MessagesPage {
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
  readonly lastSeq: number;
}

export interface Participant {
  readonly _id: string;
  readonly role: 'admin' | 'member';
}

export interface Conversation {
  readonly _id: string;
  readonly type: 'direct_message' | 'group';
  readonly name: string | null;
  readonly participants: readonly Participant[];
  readonly lastMessage: unknown;
  readonly lastSeq: number;
  readonly unread: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a callback is called with; which fields are there depends on the event. */
export interface Answer {
  readonly success: boolean;
  readonly message?: Message;
  readonly conversationId?: string;
  readonly lastSeq?: number;
  readonly unread?: number;
  readonly reactions?: readonly Reaction[];
  readonly expiresAt?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

export interface ChatError {
  readonly event: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly conversationId?: string;
  readonly clientMessageId?: string;
}

/** Somebody else, as everybody may see them. */
export interface User {
  readonly _id: string;
  readonly displayName: string;
  readonly bio: string;
  readonly avatar: string | null;
  readonly createdAt: string;
}

export interface Friendship {
  readonly _id: string;
  readonly requesterId: string;
  readonly addresseeId: string;
  readonly status: 'pending' | 'accepted' | 'blocked';
  readonly createdAt: string;
}

/** `user_online_status`, and an entry of `GET /api/friends/presence`. */
export interface OnlineStatus {
  readonly userId: string;
  readonly online: boolean;
  readonly lastSeenAt: string;
}

/** `presence_snapshot`. */
export interface PresenceSnapshot {
  readonly online: readonly string[];
}

/** `typing`, as it is heard. */
export interface Typing {
  readonly conversationId: string;
  readonly userId: string;
  readonly isTyping: boolean;
}

export const errorCodes = [
  'VALIDATION',
  'AUTH_REQUIRED',
  'AUTH_INVALID',
  'AUTH_EXPIRED',
  'NOT_FOUND',
  'CONFLICT',
  'RATE_LIMITED',
  'TOO_LARGE',
  'OVERLOADED',
  'UNAVAILABLE',
  'INTERNAL',
];

export const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Stack traces, drivers' messages and internal addresses, none of which a client may see. */
const internals =
  /node_modules|\n\s+at |file:\/\/|mongodb|redis|nats:|sqlite|ECONN|E11000|:\d{5}\b/i;

/** Asserts that `value` is a Message of the contract, with these fields and no others. */
export function expectMessage(value: unknown, known: Partial<Message>): Message {
  expect(value).toStrictEqual({
    _id: expect.stringMatching(uuidV7),
    conversationId: expect.stringMatching(uuidV7),
    seq: expect.toSatisfy((seq) => Number.isInteger(seq) && seq > 0, 'is a positive integer'),
    senderId: expect.any(String),
    content: expect.any(String),
    clientMessageId: expect.stringMatching(/^[\s\S]{1,64}$/u),
    reactions: [],
    createdAt: expect.stringMatching(timestamp),
    ...known,
  });
  return value as Message;
}

/** Asserts that `value` is an answer of `GET /sync`, and nothing else. */
export function expectSyncAnswer(value: unknown): SyncAnswer {
  expect(value).toStrictEqual({
    conversations: expect.any(Array),
    left: expect.any(Array),
    token: expect.stringMatching(/^[A-Za-z0-9_-]{1,7000}$/),
    hasMore: expect.any(Boolean),
  });
  const answer = value as SyncAnswer;
  for (const news of answer.conversations) {
    expect(news).toStrictEqual({
      conversationId: expect.stringMatching(uuidV7),
      messages: expect.any(Array),
      reactions: expect.any(Array),
      readMarks: expect.any(Array),
      members: expect.any(Array),
      reset: expect.any(Boolean),
      lastSeq: expect.any(Number),
      unread: expect.any(Number),
    });
    for (const message of news.messages) {
      const { conversationId } = news;
      expectMessage(message, { conversationId, reactions: expect.any(Array) });
    }
    const [first] = news.messages;
    if (first !== undefined) {
      expectDense(news.messages, first.seq);
    }
  }
  const ids = answer.conversations.map(({ conversationId }) => conversationId);
  expect(new Set([...ids, ...answer.left]).size).toBe(ids.length + answer.left.length);
  return answer;
}

/** Asserts that `value` is a Friendship of the contract, with these fields and no others. */
export function expectFriendship(value: unknown, known: Partial<Friendship>): Friendship {
  expect(value).toStrictEqual({
    _id: expect.stringMatching(uuidV7),
    requesterId: expect.any(String),
    addresseeId: expect.any(String),
    status: expect.stringMatching(/^(pending|accepted|blocked)$/),
    createdAt: expect.stringMatching(timestamp),
    ...known,
  });
  return value as Friendship;
}

/** Asserts that `value` is a User as others see it: no email, and no field that is not named. */
export function expectUser(value: unknown, userId: string): User {
  expect(value).toStrictEqual({
    _id: userId,
    displayName: expect.any(String),
    bio: expect.any(String),
    avatar: null,
    createdAt: expect.stringMatching(timestamp),
  });
  return value as User;
}

/** Asserts that `value` is an OnlineStatus of the contract and nothing else. */
export function expectStatus(value: unknown, known: Partial<OnlineStatus> = {}): OnlineStatus {
  expect(value).toStrictEqual({
    userId: expect.any(String),
    online: expect.any(Boolean),
    lastSeenAt: expect.stringMatching(timestamp),
    ...known,
  });
  return value as OnlineStatus;
}

/** Asserts `seq` first, first + 1, … in this very order, and `_id` rising strictly with it. */
export function expectDense(messages: readonly Message[], first = 1): void {
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => first + index));
  const ids = messages.map(({ _id }) => _id);
  expect(ids).toEqual([...new Set(ids)].sort());
}

/** Asserts that the callback was told `{ success: false, error }` with this code. */
export function expectFailure(answer: unknown, code: string): Answer {
  expect(answer).toStrictEqual({
    success: false,
    error: {
      code,
      message: expect.stringMatching(/\S/),
      retryable: ['RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE'].includes(code),
    },
  });
  expect((answer as Answer).error?.message).not.toMatch(internals);
  return answer as Answer;
}

/**
 * Asserts `{ message, code, status }` and nothing else. @param names a field that the message names
 */
export function expectRestError(
  answer: RestAnswer,
  status: number,
  code: string,
  names?: string,
): void {
  expect({ status: answer.status, body: answer.body }).toStrictEqual({
    status,
    body: { message: expect.stringMatching(/\S/), code, status },
  });
  const { message } = answer.body as { message: string };
  expect(message).not.toMatch(internals);
  if (names !== undefined) {
    expect(message).toContain(names);
  }
}
