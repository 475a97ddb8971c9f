import { AppError, type UserId } from '@bambochat/protocol';
import type { DirectoryStore, FriendStore } from '@bambochat/stores';
import { inParts, mapConcurrently } from './bounded-reads.ts';

const USERS_PER_READ = 1000;
const NAMED_MAX = 5;

/**
 * Who blocks the actor does not exist for them: one answer, found by the same reads.
 *
 * @returns which of the users the actor blocks
 * @throws AppError `NOT_FOUND` that names users who do not exist: ids can be searched anyway
 */
export async function assertUsersReachable(
  deps: { directoryStore: DirectoryStore; friendStore: Pick<FriendStore, 'blocksBetween'> },
  actorId: UserId,
  userIds: readonly UserId[],
): Promise<UserId[]> {
  const reachable = new Set<UserId>();
  const blocked: UserId[] = [];
  for (const part of inParts(userIds, USERS_PER_READ)) {
    const [profiles, { blockedBy, blocking }] = await Promise.all([
      deps.directoryStore.profiles(part),
      deps.friendStore.blocksBetween(actorId, part),
    ]);
    for (const { _id } of profiles) {
      reachable.add(_id);
    }
    for (const userId of blockedBy) {
      reachable.delete(userId);
    }
    blocked.push(...blocking);
  }
  const missing = userIds.filter((userId) => !reachable.has(userId));
  if (missing.length > 0) {
    throw new AppError('NOT_FOUND', `participantIds: not found: ${named(missing)}`);
  }
  return blocked;
}

/**
 * Keeps what a user's connection and list cost within bounds, whoever adds them. Not exact: two
 * requests at once may both find the last place free.
 *
 * @throws AppError `CONFLICT` that names users who are in too many conversations already
 */
export async function assertRoomForConversation(
  deps: { directoryStore: DirectoryStore; conversationsPerUser: number },
  userIds: readonly UserId[],
): Promise<void> {
  const { directoryStore, conversationsPerUser } = deps;
  const full = await mapConcurrently(userIds, async (userId) => {
    const memberships = await directoryStore.membershipsOf(userId, conversationsPerUser);
    return memberships.length >= conversationsPerUser;
  });
  const names = userIds.filter((_, index) => full[index] === true);
  if (names.length > 0) {
    throw new AppError('CONFLICT', `In too many conversations: ${named(names)}`);
  }
}

function named(userIds: readonly UserId[]): string {
  const rest = userIds.length - NAMED_MAX;
  return userIds.slice(0, NAMED_MAX).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
