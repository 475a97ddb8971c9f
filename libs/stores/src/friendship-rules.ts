import type { Friendship, UserId } from '@bambochat/protocol';
import type { FriendStore } from './friend-store.ts';

/**
 * What every call makes of what there is between two users: the rules of {@link FriendStore},
 * without an engine. An engine reads the record of the pair, asks here, and stores the answer in one
 * step that fails when the record is no longer what was read.
 */

/** What there is between two users, in whatever direction: a request, a friendship, or blocks. */
export interface PairRecord extends Friendship {
  /** Each as its owner sees it, one or two; the record itself repeats the first. Else empty. */
  blocks: readonly Friendship[];
}

/** `next` takes the place of the record, null deletes it, and without `next` nothing changes. */
export interface Step<Outcome> {
  outcome: Outcome;
  next?: PairRecord | null;
}

export type Proposal = Parameters<FriendStore['request']>[0];
export type Request = Awaited<ReturnType<FriendStore['request']>>;
export type Answer = Awaited<ReturnType<FriendStore['answer']>>;
export type Block = Awaited<ReturnType<FriendStore['block']>>;

/** The name of the pair: the same from both sides. `:` is in no user id. */
export function pairOf(one: UserId, other: UserId): string {
  return one < other ? `${one}:${other}` : `${other}:${one}`;
}

/** @throws TypeError when both are the same user. */
export function request(stored: PairRecord | null, proposal: Proposal): Step<Request> {
  if (!stored) {
    const friendship = friendshipOf({ ...proposal, status: 'pending' });
    assertTwo(friendship);
    return { outcome: { outcome: 'requested', friendship }, next: { ...friendship, blocks: [] } };
  }
  if (stored.status === 'blocked') {
    const isBlocked = blockBy(stored, proposal.addresseeId) !== undefined;
    return { outcome: { outcome: isBlocked ? 'blocked' : 'blocking' } };
  }
  if (stored.status === 'accepted' || stored.requesterId === proposal.requesterId) {
    return { outcome: { outcome: 'exists', friendship: friendshipOf(stored) } };
  }
  const next: PairRecord = { ...stored, status: 'accepted' };
  return { outcome: { outcome: 'accepted', friendship: friendshipOf(next) }, next };
}

/** `stored`: the record that has the id of the request, if there is one. */
export function answer(
  stored: PairRecord | null,
  addresseeId: UserId,
  action: 'accept' | 'reject',
): Step<Answer> {
  const friendship = requestTo(stored, addresseeId);
  if (!stored || !friendship) {
    return { outcome: null };
  }
  if (friendship.status === 'accepted') {
    return { outcome: { outcome: action === 'accept' ? 'repeated' : 'conflict', friendship } };
  }
  if (action === 'reject') {
    return { outcome: { outcome: 'rejected', friendship }, next: null };
  }
  const next: PairRecord = { ...stored, status: 'accepted' };
  return { outcome: { outcome: 'accepted', friendship: friendshipOf(next) }, next };
}

/** The request, pending or accepted, if it was made to this user. */
export function requestTo(stored: PairRecord | null, addresseeId: UserId): Friendship | null {
  const isRequest = stored?.addresseeId === addresseeId && stored.status !== 'blocked';
  return isRequest ? friendshipOf(stored) : null;
}

export function remove(stored: PairRecord | null, userId: UserId): Step<Friendship | null> {
  const isTheirs =
    stored?.status === 'accepted' ||
    (stored?.status === 'pending' && stored.requesterId === userId);
  return stored && isTheirs ? { outcome: friendshipOf(stored), next: null } : { outcome: null };
}

/** @throws TypeError when both are the same user. */
export function block(stored: PairRecord | null, proposal: Proposal): Step<Block> {
  const own = stored && blockBy(stored, proposal.requesterId);
  if (own) {
    return { outcome: { friendship: own, wereFriends: false } };
  }
  const friendship = friendshipOf({ ...proposal, status: 'blocked' });
  assertTwo(friendship);
  return {
    outcome: { friendship, wereFriends: stored?.status === 'accepted' },
    next: blocked([...(stored?.blocks ?? []), friendship]),
  };
}

export function unblock(stored: PairRecord | null, blockerId: UserId): Step<boolean> {
  if (!stored || !blockBy(stored, blockerId)) {
    return { outcome: false };
  }
  const others = stored.blocks.filter(({ requesterId }) => requesterId !== blockerId);
  return { outcome: true, next: blocked(others) };
}

/** The record of a pair between whom there are these blocks; null when there is none. */
export function blocked(blocks: readonly Friendship[]): PairRecord | null {
  const [first] = blocks;
  return first ? { ...first, blocks } : null;
}

export function friendshipOf(record: Friendship): Friendship {
  const { _id, requesterId, addresseeId, status, createdAt } = record;
  return { _id, requesterId, addresseeId, status, createdAt };
}

function blockBy(stored: PairRecord, blockerId: UserId): Friendship | undefined {
  return stored.blocks.find(({ requesterId }) => requesterId === blockerId);
}

function assertTwo({ requesterId, addresseeId }: Friendship): void {
  if (requesterId === addresseeId) {
    throw new TypeError('A friendship takes two users');
  }
}
