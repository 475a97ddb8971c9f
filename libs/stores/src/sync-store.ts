import type { ConversationId, MessageId, UserId } from '@bambochat/protocol';

/**
 * What lets a client ask for everything that it missed: the journal of each conversation's changes
 * that are no messages, and the places that clients have reached.
 *
 * The journal names what has changed and holds none of it: a reader looks the state up afterwards.
 * A writer changes the state first and appends second, and so no reader passes a change that it
 * cannot see yet. Appending a change again is harmless.
 *
 * All methods reject with AppError `UNAVAILABLE` when the engine cannot be reached in time; what was
 * to be written may then be written all the same.
 */
export interface SyncStore {
  /**
   * Appends changes in the order given, each under the next revision of its conversation, in one
   * atomic step. A change replaces an earlier one of the same thing (see {@link changeKey}); of all
   * that remain the newest {@link CHANGES_KEPT} are kept.
   */
  appendChanges(conversationId: ConversationId, changes: readonly Change[]): Promise<void>;

  /** The newest revision of each conversation. One in which nothing has changed is left out: 0. */
  revisions(conversationIds: readonly ConversationId[]): Promise<Map<ConversationId, number>>;

  /**
   * When something was last appended, by the clock of who did, as ISO 8601 UTC with milliseconds.
   * A conversation in which nothing has changed is left out.
   */
  changedAt(conversationIds: readonly ConversationId[]): Promise<Map<ConversationId, string>>;

  /** What has changed after this revision, the oldest first. */
  changesSince(conversationId: ConversationId, revision: number): Promise<Changes>;

  /**
   * Keeps a place under its id and number, in the same step forgetting the place of the number
   * before the last one: an id holds two, the newest and the one before it. Of the ids of a user the
   * {@link PLACES_PER_USER_MAX} that expire last are kept. Does nothing when the id is another
   * user's.
   */
  savePlace(place: Place): Promise<void>;

  /** Null when there is none of this id, number and user, or when it has expired. */
  place(id: string, userId: UserId, number: number): Promise<Place | null>;

  /** Rejects when the engine does not answer; for /readyz. */
  check(): Promise<void>;
  /** Later calls reject with `UNAVAILABLE`. Stores that share a connection: the last one ends it. */
  close(): Promise<void>;
}

/** The reactions to a message, the mark of a user, or the membership of one, role included. */
export type Change =
  | { kind: 'reaction'; messageId: MessageId; seq: number }
  | { kind: 'read'; userId: UserId }
  | { kind: 'member'; userId: UserId };

export interface Changes {
  /** The newest revision there was: nothing up to here is missing from `changes`. */
  revision: number;
  changes: Change[];
  /** False when some of them are not kept any more. */
  complete: boolean;
}

/** Where a client is in all of its conversations. */
export interface Place {
  id: string;
  userId: UserId;
  /** Counts what was saved under this id. */
  number: number;
  bytes: Uint8Array;
  /** ISO 8601 UTC with milliseconds; of the id as a whole. */
  expiresAt: string;
}

/** Changes kept of each conversation. */
export const CHANGES_KEPT = 200;
/** Ids kept of each user: about one for each device. */
export const PLACES_PER_USER_MAX = 32;

/** The thing that a change is about: equal for changes that replace each other. */
export function changeKey(change: Change): string {
  return change.kind === 'reaction'
    ? `reaction:${change.messageId}`
    : `${change.kind}:${change.userId}`;
}

/** Changes that replace each other, without all but the last of each. */
export function newestChanges(changes: readonly Change[]): Change[] {
  const newest = new Map<string, Change>();
  for (const change of changes) {
    const key = changeKey(change);
    newest.delete(key);
    newest.set(key, change);
  }
  return [...newest.values()];
}
