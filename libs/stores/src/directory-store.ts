import type { ConversationId, ConversationType, Role, UserId } from '@bambochat/protocol';

/**
 * Accounts, sessions, conversations and their participants. Each method is atomic unless it says
 * otherwise and safe to call from any number of processes. All reject with AppError `UNAVAILABLE`
 * when the engine cannot be reached in time. Times are ISO 8601 UTC with milliseconds.
 */
export interface DirectoryStore {
  /** @returns false when the id or the email (compared in lower case) is taken. */
  createAccount(account: Account): Promise<boolean>;
  account(userId: UserId): Promise<Account | null>;
  /** Public profiles, in the order asked; unknown ids are left out. At most 1000 ids a call. */
  profiles(userIds: readonly UserId[]): Promise<Profile[]>;
  /** Up to `limit` profiles whose id begins with `prefix` (case-sensitive), ordered by id. Index scan. */
  searchProfiles(prefix: string, limit: number): Promise<Profile[]>;
  /** @returns the account after the change; null when it does not exist. */
  updateProfile(
    userId: UserId,
    change: { displayName?: string; bio?: string },
  ): Promise<Account | null>;

  createSession(session: Session): Promise<void>;
  /** Null also when it has expired. */
  session(sessionId: string): Promise<Session | null>;
  /**
   * Spends `expected` and puts `next` in its place, if the session is live and `expected` is its
   * current token. Of two concurrent calls with one `expected` exactly one gets true.
   */
  rotateSession(
    sessionId: string,
    expected: string,
    next: string,
    expiresAt: string,
  ): Promise<boolean>;
  /** @returns false when there was no live session. Expired and revoked sessions are deleted in time. */
  revokeSession(sessionId: string): Promise<boolean>;

  /**
   * Creates a group with its participants: {@link conversation} shows it as a whole or not at all.
   * A creator that died can leave memberships of a conversation that never came to be. Safe to
   * repeat after an unknown outcome.
   */
  createGroup(conversation: ConversationRecord, participants: readonly Membership[]): Promise<void>;
  /**
   * The direct conversation of two users. Concurrent calls by both get the same one, and exactly
   * one of them `created: true`. A call also finishes what a process that died had begun, and adds
   * whichever of the two is missing. `conversation` is used only if there is none yet.
   */
  openDirect(
    conversation: ConversationRecord,
    participants: readonly [Membership, Membership],
  ): Promise<{ conversation: ConversationRecord; created: boolean }>;
  conversation(conversationId: ConversationId): Promise<ConversationRecord | null>;
  /** In no order; unknown ids are left out. */
  conversations(conversationIds: readonly ConversationId[]): Promise<ConversationRecord[]>;
  /** Moves `updatedAt` forward, never back. */
  touchConversation(conversationId: ConversationId, updatedAt: string): Promise<void>;

  /** Of each pair, in the order asked, whether the user is a member. At most 500 pairs. */
  areMembers(
    pairs: readonly { conversationId: ConversationId; userId: UserId }[],
  ): Promise<boolean[]>;
  /**
   * Every conversation of the user, at most `limit`, newest membership first, and of those that
   * began at once the newer conversation. Index scan.
   */
  membershipsOf(userId: UserId, limit: number): Promise<Membership[]>;
  /**
   * Participants in the order in which they came, and of those that came at once in the order in
   * which they were given; at most `limit`. Index scan.
   */
  participantsOf(conversationId: ConversationId, limit: number): Promise<Membership[]>;
  countParticipants(conversationId: ConversationId): Promise<number>;
  membership(conversationId: ConversationId, userId: UserId): Promise<Membership | null>;
  /** Those that exist, in no order. */
  memberships(
    pairs: readonly { conversationId: ConversationId; userId: UserId }[],
  ): Promise<Membership[]>;
  /**
   * Moves `readSeq` forward, never back.
   * @returns where it is now, and whether this call moved it; null when the user is no member.
   */
  markRead(
    conversationId: ConversationId,
    userId: UserId,
    seq: number,
  ): Promise<{ moved: boolean; readSeq: number } | null>;
  /** Members already there keep their role. @returns who was really added. Not atomic as a whole. */
  addParticipants(participants: readonly Membership[]): Promise<UserId[]>;
  /** @returns false when the user was no member. */
  removeParticipant(conversationId: ConversationId, userId: UserId): Promise<boolean>;
  setRole(conversationId: ConversationId, userId: UserId, role: Role): Promise<void>;

  /** Rejects when the engine does not answer; for /readyz. */
  check(): Promise<void>;
  /** Later calls reject with `UNAVAILABLE`. Stores that share a connection: the last one ends it. */
  close(): Promise<void>;
}

export interface Profile {
  _id: UserId;
  displayName: string;
  bio: string;
  avatar: string | null;
  createdAt: string;
}

export interface Account extends Profile {
  email: string;
  passwordHash: string;
  isVerified: boolean;
}

/** A login: lives until its refresh token expires, is reused or logged out. */
export interface Session {
  _id: string;
  userId: UserId;
  /** `jti` of the one refresh token that is not spent. */
  currentToken: string;
  createdAt: string;
  expiresAt: string;
}

export interface ConversationRecord {
  _id: ConversationId;
  type: ConversationType;
  name: string | null;
  createdAt: string;
  /** Last change of the conversation itself (name, participants); messages have their head. */
  updatedAt: string;
}

export interface Membership {
  conversationId: ConversationId;
  userId: UserId;
  role: Role;
  /** ISO 8601 UTC with milliseconds. */
  joinedAt: string;
  /** The last `seq` that counts as read, the one of the moment when the user came or a later one. */
  readSeq: number;
}
