import type { Friendship, UserId } from '@bambochat/protocol';
import { expect } from 'vitest';
import type { FriendStore } from './friend-store.ts';
import { sampleProposal } from './sample-records.fixture.ts';

/** Two doors to the same data, once the test has opened them. */
export type FriendDoors = () => readonly [FriendStore, FriendStore];

/** Makes friends of the two; `requester` is the one who asked. */
export async function befriend(
  store: FriendStore,
  requester: UserId,
  addressee: UserId,
): Promise<Friendship> {
  const proposal = sampleProposal(requester, addressee);
  await store.request(proposal);
  await store.answer(proposal._id, addressee, 'accept');
  return { ...proposal, status: 'accepted' };
}

/** What there is between two users who know nobody else. */
export type PairState =
  | { is: 'nothing' }
  | { is: 'friends' }
  | { is: 'requested'; request: Friendship }
  | { is: 'blocked'; by: UserId[] };

/**
 * What there is between the two, in every way that the store can be asked, through both doors and
 * from both sides: fails when any two answers contradict each other.
 */
export async function stateOf(
  doors: readonly [FriendStore, FriendStore],
  one: UserId,
  other: UserId,
): Promise<PairState> {
  const states: PairState[] = [];
  for (const door of doors) {
    states.push(await stateThrough(door, one, other), await stateThrough(door, other, one));
  }
  const [state, ...others] = states.map((found) =>
    found.is === 'blocked' ? { ...found, by: found.by.toSorted() } : found,
  );
  for (const another of others) {
    expect(another).toEqual(state);
  }
  return state ?? { is: 'nothing' };
}

async function stateThrough(store: FriendStore, me: UserId, other: UserId): Promise<PairState> {
  const page = { limit: 10, offset: 0 };
  const friends = (await store.friendsOf([me, other])).get(me);
  const requests = [
    ...(await store.receivedRequests(me, page)),
    ...(await store.sentRequests(me, page)),
  ];
  const { blockedBy, blocking } = await store.blocksBetween(me, [other]);
  const by = [...blocking.map(() => me), ...blockedBy];
  const blocked = (await store.blocksOf(me, page)).map(({ addresseeId }) => addresseeId);
  expect(blocked).toEqual(blocking);

  // At most one of the three.
  const found: PairState[] = [
    ...(friends ?? []).map(() => ({ is: 'friends' as const })),
    ...requests.map((request) => ({ is: 'requested' as const, request })),
    ...(by.length > 0 ? [{ is: 'blocked' as const, by }] : []),
  ];
  expect(found.length).toBeLessThanOrEqual(1);
  const state = found[0] ?? { is: 'nothing' };

  if (state.is === 'friends') {
    expect(friends).toEqual([other]);
  }
  const isBond =
    state.is === 'friends' || (state.is === 'requested' && state.request.requesterId === me);
  expect(await store.countBonds(me)).toBe(isBond ? 1 : 0);
  if (state.is === 'requested') {
    const { _id, requesterId, addresseeId } = state.request;
    expect([requesterId, addresseeId].toSorted()).toEqual([me, other].toSorted());
    expect(await store.requestTo(_id, addresseeId)).toEqual(state.request);
    expect(await store.requestTo(_id, requesterId)).toBeNull();
  }
  return state;
}
