import { type Friendship, notFound, type UserId } from '@bambochat/protocol';
import type { FriendDeps } from './request-friendship.ts';

/**
 * Ends a friendship, or takes back a request that the user has made.
 *
 * @returns what there was
 * @throws AppError `NOT_FOUND` when there was neither, `UNAVAILABLE`
 */
export async function endFriendship(
  { friendStore, tellFriends }: Pick<FriendDeps, 'friendStore' | 'tellFriends'>,
  userId: UserId,
  otherId: UserId,
): Promise<Friendship> {
  const ended = await friendStore.remove(userId, otherId);
  if (ended === null) {
    throw notFound('Friend');
  }
  // Nothing is told of what was not there: an answer to strangers would say who is online.
  if (ended.status === 'accepted') {
    await tellFriends.parted(ended);
  }
  return ended;
}
