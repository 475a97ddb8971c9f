import type { Friendship, FriendshipId, UserId } from '@bambochat/protocol';

/**
 * Friendships, requests and blocks: one record for each pair of users, changed by single atomic
 * steps, so that whatever both sides do at once ends in one state that both see. All reject with
 * AppError `UNAVAILABLE` when the engine cannot be reached in time. Nothing here looks at accounts.
 */
export interface FriendStore {
  /**
   * Asks for friendship. Who asks somebody that has asked already accepts that request. Of two who
   * ask each other at once one gets `requested` and the other `accepted`.
   *
   * `exists`: they are friends, or this user has asked before; nothing changed.
   * `blocked`: `addresseeId` blocks `requesterId` (whatever the other way).
   * `blocking`: only `requesterId` blocks `addresseeId`.
   */
  request(
    proposal: Pick<Friendship, '_id' | 'requesterId' | 'addresseeId' | 'createdAt'>,
  ): Promise<
    | { outcome: 'requested' | 'accepted' | 'exists'; friendship: Friendship }
    | { outcome: 'blocked' | 'blocking' }
  >;
  /**
   * The addressee's answer. `accepted`: it is accepted now, `repeated` when it was before. A request
   * that is rejected is gone, and is given as it was. Null when there is no such request to this
   * user. `conflict`: a rejection of what is accepted already. Of two concurrent answers exactly one
   * is the first.
   */
  answer(
    friendshipId: FriendshipId,
    addresseeId: UserId,
    action: 'accept' | 'reject',
  ): Promise<{
    outcome: 'accepted' | 'repeated' | 'rejected' | 'conflict';
    friendship: Friendship;
  } | null>;
  /** The request, pending or accepted, if it was made to this user. */
  requestTo(friendshipId: FriendshipId, addresseeId: UserId): Promise<Friendship | null>;
  /**
   * Ends a friendship, or takes back a request that `userId` has made.
   * @returns what there was; null when there was neither, and for every concurrent call but one.
   */
  remove(userId: UserId, otherId: UserId): Promise<Friendship | null>;

  /**
   * Ends whatever there was between the two, friendship and requests of either side, and keeps
   * `addresseeId` from asking. Both may block each other, and each block has its own id and time:
   * `proposal._id` and `createdAt` are used when this user does not block the other yet. Can be
   * repeated.
   * @returns the block as its owner sees it (`requesterId` blocks `addresseeId`), and whether they
   * were friends until now.
   */
  block(
    proposal: Pick<Friendship, '_id' | 'requesterId' | 'addresseeId' | 'createdAt'>,
  ): Promise<{ friendship: Friendship; wereFriends: boolean }>;
  /** @returns false when `blockerId` did not block `blockedId`. The other's own block stays. */
  unblock(blockerId: UserId, blockedId: UserId): Promise<boolean>;
  /** Of the others (at most 1000), those who block this user, and those whom this user blocks. */
  blocksBetween(
    userId: UserId,
    others: readonly UserId[],
  ): Promise<{ blockedBy: UserId[]; blocking: UserId[] }>;

  /** Friends of each user, every user asked for having a list. At most 500 users. Index scan. */
  friendsOf(userIds: readonly UserId[]): Promise<Map<UserId, UserId[]>>;
  /** Friends and requests that are made by this user. */
  countBonds(userId: UserId): Promise<number>;
  /** Requests to this user, newest first. */
  receivedRequests(userId: UserId, page: FriendPage): Promise<Friendship[]>;
  /** Requests by this user, newest first. */
  sentRequests(userId: UserId, page: FriendPage): Promise<Friendship[]>;
  /** Whom this user blocks, newest first, each as in {@link block}. */
  blocksOf(userId: UserId, page: FriendPage): Promise<Friendship[]>;

  check(): Promise<void>;
  close(): Promise<void>;
}

/** `limit` 1–1000. */
export interface FriendPage {
  limit: number;
  offset: number;
}
