import {
  AppError,
  type FriendRequestUpdate,
  type FriendshipId,
  notFound,
  type UserId,
} from '@bambochat/protocol';
import { assertRoomForFriend, type FriendDeps } from './request-friendship.ts';

/**
 * The addressee accepts or rejects. To accept again changes nothing and tells nobody.
 *
 * @throws AppError `NOT_FOUND`, the same for an absent request and for one to others; `CONFLICT` for
 *   a rejection of what is accepted, or when the addressee has too many friends; `UNAVAILABLE`
 */
export async function answerRequest(
  deps: FriendDeps,
  addresseeId: UserId,
  friendshipId: FriendshipId,
  action: 'accept' | 'reject',
): Promise<FriendRequestUpdate> {
  const { friendStore, tellFriends } = deps;
  const request = await friendStore.requestTo(friendshipId, addresseeId);
  if (request?.status === 'pending' && action === 'accept') {
    await assertRoomForFriend(deps, addresseeId);
  }
  const answered = request && (await friendStore.answer(friendshipId, addresseeId, action));
  if (answered === null) {
    throw notFound('Friend request');
  }
  if (answered.outcome === 'conflict') {
    throw new AppError('CONFLICT', 'The request is accepted already: remove the friend instead');
  }
  const update: FriendRequestUpdate = {
    ...answered.friendship,
    status: answered.outcome === 'rejected' ? 'rejected' : 'accepted',
  };
  if (answered.outcome !== 'repeated') {
    await tellFriends.answered(update);
  }
  return update;
}
