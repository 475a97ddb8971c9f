import {
  AppError,
  type Friendship,
  friendshipIdSchema,
  notFound,
  type UserId,
} from '@bambochat/protocol';
import type { DirectoryStore, FriendStore } from '@bambochat/stores';
import { uuidv7 } from 'uuidv7';
import { unblockFirst } from './block-user.ts';
import type { FriendTeller } from './tell-friends.ts';

export interface FriendDeps {
  directoryStore: Pick<DirectoryStore, 'profiles'>;
  friendStore: FriendStore;
  tellFriends: FriendTeller;
  friendsPerUser: number;
}

/**
 * Asks for friendship, or accepts what the other has asked.
 *
 * @returns status `pending`; or `accepted`, with the other as its requester
 * @throws AppError `VALIDATION` for oneself; `NOT_FOUND` for a user who is unknown or blocks the
 *   requester; `CONFLICT` when they are friends, when it was asked before, when the requester blocks
 *   the addressee or has too many friends; `UNAVAILABLE`
 */
export async function requestFriendship(
  deps: FriendDeps,
  requesterId: UserId,
  addresseeId: UserId,
): Promise<Friendship> {
  const { directoryStore, friendStore, tellFriends } = deps;
  if (requesterId === addresseeId) {
    throw new AppError('VALIDATION', 'addresseeId: must be another user');
  }
  // Both reads in any case: time does not tell a block from a user who does not exist.
  const [profiles, { blockedBy, blocking }] = await Promise.all([
    directoryStore.profiles([requesterId, addresseeId]),
    friendStore.blocksBetween(requesterId, [addresseeId]),
  ]);
  const requester = profiles.find(({ _id }) => _id === requesterId);
  if (requester === undefined || profiles.length < 2 || blockedBy.length > 0) {
    throw notFound('User');
  }
  if (blocking.length > 0) {
    throw unblockFirst();
  }
  await assertRoomForFriend(deps, requesterId);
  const asked = await friendStore.request({
    _id: friendshipIdSchema.parse(uuidv7()),
    requesterId,
    addresseeId,
    createdAt: new Date().toISOString(),
  });
  switch (asked.outcome) {
    case 'requested':
      await tellFriends.asked(asked.friendship, requester);
      return asked.friendship;
    case 'accepted':
      await tellFriends.answered({ ...asked.friendship, status: 'accepted' });
      return asked.friendship;
    case 'exists':
      throw new AppError(
        'CONFLICT',
        asked.friendship.status === 'accepted'
          ? 'You are friends already'
          : 'You have asked already',
      );
    case 'blocked':
      throw notFound('User');
    case 'blocking':
      throw unblockFirst();
  }
}

/**
 * For who asks or accepts. The other one's place was taken when they asked. Not exact: two requests
 * at once may both find the last place free. @throws AppError `CONFLICT` that names the limit
 */
export async function assertRoomForFriend(
  { friendStore, friendsPerUser }: Pick<FriendDeps, 'friendStore' | 'friendsPerUser'>,
  userId: UserId,
): Promise<void> {
  if ((await friendStore.countBonds(userId)) >= friendsPerUser) {
    throw new AppError(
      'CONFLICT',
      `At most ${friendsPerUser} friends and requests of your own are allowed`,
    );
  }
}
