import { notFound, type OwnUser, type ProfileUpdate, type UserId } from '@bambochat/protocol';
import type { Account, DirectoryStore } from '@bambochat/stores';

/** @throws AppError `NOT_FOUND` when a token of another issuer names nobody here */
export async function ownUser(
  { directoryStore }: { directoryStore: DirectoryStore },
  userId: UserId,
): Promise<OwnUser> {
  return existing(await directoryStore.account(userId));
}

/** What is left out stays. @throws AppError `NOT_FOUND` as {@link ownUser} */
export async function updateProfile(
  { directoryStore }: { directoryStore: DirectoryStore },
  userId: UserId,
  { displayName, bio }: ProfileUpdate,
): Promise<OwnUser> {
  const change = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(bio === undefined ? {} : { bio }),
  };
  return existing(await directoryStore.updateProfile(userId, change));
}

function existing(account: Account | null): OwnUser {
  if (account === null) {
    throw notFound('User');
  }
  const { _id, displayName, bio, avatar, createdAt, email, isVerified } = account;
  return { _id, displayName, bio, avatar, createdAt, email, isVerified };
}
