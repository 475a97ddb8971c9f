import type { UserId } from '@bambochat/protocol';

/**
 * What friends were last told about each user: the durable half of presence. All reject with
 * AppError `UNAVAILABLE` when the engine cannot be reached in time.
 */
export interface StatusStore {
  /**
   * Keeps the newest status of each user: one whose `changedAt` is not above what is kept changes
   * nothing. At most 500, each user once. Atomic for each user, not as a whole; can be repeated.
   */
  record(statuses: readonly UserStatus[]): Promise<void>;
  /** Users who were never here are left out. At most 1000. */
  statusesOf(userIds: readonly UserId[]): Promise<Map<UserId, UserStatus>>;
  /** Users whose status is online, ordered by id, beginning after `after`. Index scan. */
  onlineUsers(after: UserId | null, limit: number): Promise<UserId[]>;

  /** The presence of this deployment is looked after at this moment. Moves forward, never back. */
  recordAlive(at: string): Promise<void>;
  /** Null before the first {@link recordAlive}. */
  lastAlive(): Promise<string | null>;

  check(): Promise<void>;
  close(): Promise<void>;
}

export interface UserStatus {
  userId: UserId;
  online: boolean;
  /** When the user was last here: ISO 8601 UTC with milliseconds. */
  lastSeenAt: string;
  /** Milliseconds; rises with every change of this user's status. */
  changedAt: number;
}
