import {
  AppError,
  type Friendship,
  friendshipIdSchema,
  notFound,
  type UserId,
} from '@bambochat/protocol';
import type { DirectoryStore, FriendStore } from '@bambochat/stores';
import { uuidv7 } from 'uuidv7';
import type { FriendTeller } from './tell-friends.ts';

/**
 * Ends whatever there was between the two. The other one hears nothing of the block: a friend sees
 * what they see of any friendship that ends. Can be repeated.
 *
 * @returns the block, with the blocker as its requester
 * @throws AppError `VALIDATION` for oneself, `NOT_FOUND` for an unknown user, `CONFLICT` for one block
 *   too many, `UNAVAILABLE`
 */
export async function blockUser(
  deps: {
    directoryStore: Pick<DirectoryStore, 'profiles'>;
    friendStore: Pick<FriendStore, 'block' | 'blocksBetween' | 'blocksOf'>;
    tellFriends: Pick<FriendTeller, 'parted'>;
    blocksPerUser: number;
  },
  blockerId: UserId,
  blockedId: UserId,
): Promise<Friendship> {
  const { directoryStore, friendStore, tellFriends } = deps;
  if (blockerId === blockedId) {
    throw new AppError('VALIDATION', 'userId: must be another user');
  }
  if ((await directoryStore.profiles([blockerId, blockedId])).length < 2) {
    throw notFound('User');
  }
  await assertRoomForBlock(deps, blockerId, blockedId);
  const { friendship, wereFriends } = await friendStore.block({
    _id: friendshipIdSchema.parse(uuidv7()),
    requesterId: blockerId,
    addresseeId: blockedId,
    createdAt: new Date().toISOString(),
  });
  if (wereFriends) {
    await tellFriends.parted(friendship);
  }
  return friendship;
}

/** Not exact, as all such limits: two requests at once may both find the last place free. */
async function assertRoomForBlock(
  { friendStore, blocksPerUser }: Parameters<typeof blockUser>[0],
  blockerId: UserId,
  blockedId: UserId,
): Promise<void> {
  const { blocking } = await friendStore.blocksBetween(blockerId, [blockedId]);
  const lastPlace = { limit: 1, offset: blocksPerUser - 1 };
  if (blocking.length === 0 && (await friendStore.blocksOf(blockerId, lastPlace)).length > 0) {
    throw new AppError('CONFLICT', `At most ${blocksPerUser} users can be blocked`);
  }
}

/** @throws AppError `NOT_FOUND` when there was no such block, `UNAVAILABLE` */
export async function unblockUser(
  { friendStore }: { friendStore: Pick<FriendStore, 'unblock'> },
  blockerId: UserId,
  blockedId: UserId,
): Promise<void> {
  if (!(await friendStore.unblock(blockerId, blockedId))) {
    throw notFound('Block');
  }
}

/** For who turns to somebody they block themselves: they know already. */
export function unblockFirst(): AppError {
  return new AppError('CONFLICT', 'You block this user: unblock them first');
}
