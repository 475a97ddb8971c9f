import { AppError, type UserId } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';
import { inParts, mapConcurrently } from './bounded-reads.ts';

const PROFILES_PER_READ = 1000;
const NAMED_MAX = 5;

/** @throws AppError `NOT_FOUND` that names users who do not exist: ids can be searched anyway */
export async function assertUsersExist(
  { directoryStore }: { directoryStore: DirectoryStore },
  userIds: readonly UserId[],
): Promise<void> {
  const missing = new Set(userIds);
  for (const part of inParts(userIds, PROFILES_PER_READ)) {
    for (const { _id } of await directoryStore.profiles(part)) {
      missing.delete(_id);
    }
  }
  if (missing.size > 0) {
    throw new AppError('NOT_FOUND', `participantIds: not found: ${named([...missing])}`);
  }
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
