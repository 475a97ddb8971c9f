import type { OnlineStatus, User, UserId } from '@bambochat/protocol';
import type { DirectoryStore, FriendStore, StatusStore } from '@bambochat/stores';
import { inParts } from './bounded-reads.ts';

const USERS_PER_READ = 1000;

/** By id. What others may see of them. */
export async function listFriends(
  deps: {
    directoryStore: Pick<DirectoryStore, 'profiles'>;
    friendStore: Pick<FriendStore, 'friendsOf'>;
  },
  userId: UserId,
): Promise<User[]> {
  const friends: User[] = [];
  for (const part of inParts(await friendsById(deps, userId), USERS_PER_READ)) {
    friends.push(...(await deps.directoryStore.profiles(part)));
  }
  return friends;
}

/** By id. Friends who were never here are left out. */
export async function listStatuses(
  deps: {
    friendStore: Pick<FriendStore, 'friendsOf'>;
    statusStore: Pick<StatusStore, 'statusesOf'>;
  },
  userId: UserId,
): Promise<OnlineStatus[]> {
  const listed: OnlineStatus[] = [];
  for (const part of inParts(await friendsById(deps, userId), USERS_PER_READ)) {
    const statuses = await deps.statusStore.statusesOf(part);
    for (const friendId of part) {
      const status = statuses.get(friendId);
      if (status !== undefined) {
        const { online, lastSeenAt } = status;
        listed.push({ userId: friendId, online, lastSeenAt });
      }
    }
  }
  return listed;
}

async function friendsById(
  { friendStore }: { friendStore: Pick<FriendStore, 'friendsOf'> },
  userId: UserId,
): Promise<UserId[]> {
  const friends = await friendStore.friendsOf([userId]);
  return (friends.get(userId) ?? []).toSorted();
}
