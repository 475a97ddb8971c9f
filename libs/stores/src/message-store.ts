import type {
  ClientMessageId,
  ConversationId,
  LastMessage,
  Message,
  MessageId,
  Reaction,
  UserId,
} from '@bambochat/protocol';
import type { ReactionStep } from './reaction-rules.ts';

export type { ReactionStep } from './reaction-rules.ts';

/**
 * Messages, in one dense order per conversation.
 *
 * The store is the fence: at most one message has a given `(conversationId, seq)`, at most one a
 * given `(conversationId, senderId, clientMessageId)`, at most one a given `_id`, whatever the
 * number of writers. All methods reject with AppError `UNAVAILABLE` when the engine cannot be
 * reached in time; an insert that rejected so may have happened in part: repeat it.
 */
export interface MessageStore {
  /**
   * Stores messages in the order given and stops at the first that breaks a unique key: what comes
   * before it is stored, it and what comes after it is not. Resolves when the stored ones survive
   * the loss of power (MongoDB: journaled by a majority; SQLite: committed with full sync), and
   * when the heads of their conversations have followed. A message is never visible before its
   * predecessor in the list.
   *
   * @returns how many were stored, counted from the first. Fewer than given: the next one conflicts.
   */
  insert(messages: readonly Message[]): Promise<{ inserted: number }>;

  /** Moves heads forward to these stored messages, never back: for a writer that died in between. */
  advanceHeads(messages: readonly Message[]): Promise<void>;

  /** The stored copies, in no order; those that do not exist are left out. At most 500 keys. */
  findByClientMessageIds(keys: readonly ClientMessageKey[]): Promise<Message[]>;

  /**
   * The newest stored message of each conversation, read from the messages themselves, not from the
   * heads. A conversation without messages is left out.
   */
  lastOf(
    conversationIds: readonly ConversationId[],
  ): Promise<Map<ConversationId, { seq: number; _id: MessageId }>>;

  /**
   * Heads: what a list of conversations shows. May lag behind {@link insert} of a writer that died,
   * never run ahead of it. `content` may end after 4000 UTF-16 units. A conversation without
   * messages is left out.
   */
  heads(conversationIds: readonly ConversationId[]): Promise<Map<ConversationId, Head>>;

  /** Heads without what was said. */
  headPositions(
    conversationIds: readonly ConversationId[],
  ): Promise<Map<ConversationId, HeadPosition>>;

  /** The `seq` of a message of this conversation; `null` when there is none. */
  seqOf(conversationId: ConversationId, messageId: MessageId): Promise<number | null>;

  /** The message that has each `seq`; those that do not exist are left out. Index scan. */
  idsOf(conversationId: ConversationId, seqs: readonly number[]): Promise<Map<number, MessageId>>;

  /** Where a message is; `null` when there is none. Who may know it is for the caller to decide. */
  conversationOf(messageId: MessageId): Promise<ConversationId | null>;

  /**
   * Takes back the user's reaction if it is of this type, else makes it this type. A request that
   * was done before, one of the user's last 8 to this message, changes nothing and is answered with
   * what stands now.
   *
   * @returns all reactions after it; 'absent' when the conversation has no such message; 'full' when
   *   as many other users react to it as can.
   */
  react(
    conversationId: ConversationId,
    messageId: MessageId,
    step: ReactionStep,
  ): Promise<{ seq: number; reactions: Reaction[] } | 'absent' | 'full'>;

  /** Of messages of this conversation; those that do not exist are left out. */
  reactionsTo(
    conversationId: ConversationId,
    messageIds: readonly MessageId[],
  ): Promise<Map<MessageId, Reaction[]>>;

  /**
   * Up to `limit` messages, always in rising `seq`. `after`: the first ones with a greater `seq`;
   * `before`: the last ones with a smaller `seq`; both: the first ones between; neither: the last
   * ones. Index scans only. Only messages that cannot be rolled back.
   */
  page(
    conversationId: ConversationId,
    range: { after?: number; before?: number; limit: number },
  ): Promise<Message[]>;

  /** Rejects when the engine does not answer; for /readyz. */
  check(): Promise<void>;

  /** Later calls reject with `UNAVAILABLE`. Stores that share a connection: the last one ends it. */
  close(): Promise<void>;
}

export interface ClientMessageKey {
  conversationId: ConversationId;
  senderId: UserId;
  clientMessageId: ClientMessageId;
}

export interface Head extends LastMessage {
  lastSeq: number;
}

export type HeadPosition = Pick<Head, 'lastSeq' | 'senderId' | 'createdAt'>;
