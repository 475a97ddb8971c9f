import type { UserId } from '@bambochat/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { friendListsContract } from './friend-lists.contract.ts';
import { befriend, stateOf } from './friend-pair.fixture.ts';
import { friendRacesContract } from './friend-races.contract.ts';
import type { FriendStore } from './friend-store.ts';
import { newFriendshipId, newUserId, sampleProposal } from './sample-records.fixture.ts';

export interface FriendStoreHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  readonly stores: readonly [FriendStore, FriendStore];
  close(): Promise<void>;
}

/** What every friend store must do. Tests share the data and use new ids each. */
export function friendStoreContract(name: string, open: () => Promise<FriendStoreHarness>): void {
  describe(`friend store: ${name}`, () => {
    let harness: FriendStoreHarness;
    let store: FriendStore;
    let other: FriendStore;

    beforeAll(async () => {
      harness = await open();
      [store, other] = harness.stores;
    });
    afterAll(() => harness?.close());

    const between = (a: UserId, b: UserId) => stateOf(harness.stores, a, b);
    const nothing = { is: 'nothing' };
    const friends = { is: 'friends' };
    const users = () => [newUserId(), newUserId()] as const;

    describe('request', () => {
      test('makes a request that both sides see', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        const request = { ...proposal, status: 'pending' };
        expect(await store.request(proposal)).toEqual({
          outcome: 'requested',
          friendship: request,
        });
        expect(await between(a, b)).toEqual({ is: 'requested', request });
      });

      test('again changes nothing and gives the first', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        const request = { ...proposal, status: 'pending' };
        await store.request(proposal);
        expect(await other.request(sampleProposal(a, b))).toEqual({
          outcome: 'exists',
          friendship: request,
        });
        expect(await between(a, b)).toEqual({ is: 'requested', request });
      });

      test('to who has asked already accepts that request', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        await store.request(proposal);
        const friendship = { ...proposal, status: 'accepted' };
        expect(await other.request(sampleProposal(b, a))).toEqual({
          outcome: 'accepted',
          friendship,
        });
        expect(await between(a, b)).toEqual(friends);
        expect(await store.requestTo(proposal._id, b)).toEqual(friendship);
      });

      test.each([0, 1])('among friends changes nothing, from side %i', async (side) => {
        const pair = users();
        const friendship = await befriend(store, ...pair);
        const [from, to] = side === 0 ? pair : [pair[1], pair[0]];
        const outcome = await store.request(sampleProposal(from, to));
        expect(outcome).toEqual({ outcome: 'exists', friendship });
        expect(await between(from, to)).toEqual(friends);
      });

      test('is refused while either blocks the other, and says who', async () => {
        const [a, b] = users();
        await store.block(sampleProposal(b, a));
        expect(await store.request(sampleProposal(a, b))).toEqual({ outcome: 'blocked' });
        expect(await store.request(sampleProposal(b, a))).toEqual({ outcome: 'blocking' });
        await store.block(sampleProposal(a, b));
        expect(await store.request(sampleProposal(a, b))).toEqual({ outcome: 'blocked' });
        expect(await store.request(sampleProposal(b, a))).toEqual({ outcome: 'blocked' });
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [a, b].toSorted() });
      });

      test('to oneself is a bug of the caller', async () => {
        const [a] = users();
        await expect(store.request(sampleProposal(a, a))).rejects.toThrow(TypeError);
        await expect(store.block(sampleProposal(a, a))).rejects.toThrow(TypeError);
        expect(await store.countBonds(a)).toBe(0);
      });
    });

    describe('answer', () => {
      test('accepts, once, and can be repeated', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        await store.request(proposal);
        const friendship = { ...proposal, status: 'accepted' };
        expect(await other.answer(proposal._id, b, 'accept')).toEqual({
          outcome: 'accepted',
          friendship,
        });
        expect(await store.answer(proposal._id, b, 'accept')).toEqual({
          outcome: 'repeated',
          friendship,
        });
        expect(await between(a, b)).toEqual(friends);
      });

      test('rejects, and the request is gone', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        await store.request(proposal);
        expect(await other.answer(proposal._id, b, 'reject')).toEqual({
          outcome: 'rejected',
          friendship: { ...proposal, status: 'pending' },
        });
        expect(await store.answer(proposal._id, b, 'reject')).toBeNull();
        expect(await store.answer(proposal._id, b, 'accept')).toBeNull();
        expect(await between(a, b)).toEqual(nothing);
        expect(await store.request(sampleProposal(a, b))).toMatchObject({ outcome: 'requested' });
      });

      test('cannot reject what is accepted', async () => {
        const [a, b] = users();
        const friendship = await befriend(store, a, b);
        expect(await store.answer(friendship._id, b, 'reject')).toEqual({
          outcome: 'conflict',
          friendship,
        });
        expect(await between(a, b)).toEqual(friends);
      });

      test('is for the addressee of a request that exists', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        await store.request(proposal);
        for (const stranger of [a, newUserId()]) {
          expect(await store.answer(proposal._id, stranger, 'accept')).toBeNull();
          expect(await store.requestTo(proposal._id, stranger)).toBeNull();
        }
        expect(await store.answer(newFriendshipId(), b, 'accept')).toBeNull();
        expect(await store.requestTo(newFriendshipId(), b)).toBeNull();
        const request = { ...proposal, status: 'pending' };
        expect(await between(a, b)).toEqual({ is: 'requested', request });
      });

      test('never meets a block under its id', async () => {
        const [a, b] = users();
        const { friendship } = await store.block(sampleProposal(a, b));
        expect(await store.answer(friendship._id, b, 'accept')).toBeNull();
        expect(await store.requestTo(friendship._id, b)).toBeNull();
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [a] });
      });
    });

    describe('remove', () => {
      test.each([0, 1])('ends a friendship, once, from side %i', async (side) => {
        const pair = users();
        const friendship = await befriend(store, ...pair);
        const [from, to] = side === 0 ? pair : [pair[1], pair[0]];
        expect(await other.remove(from, to)).toEqual(friendship);
        expect(await store.remove(from, to)).toBeNull();
        expect(await store.remove(to, from)).toBeNull();
        expect(await between(from, to)).toEqual(nothing);
        expect(await store.answer(friendship._id, pair[1], 'accept')).toBeNull();
      });

      test('takes back a request, of its sender only', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        await store.request(proposal);
        expect(await store.remove(b, a)).toBeNull();
        expect(await between(a, b)).toMatchObject({ is: 'requested' });
        expect(await store.remove(a, b)).toEqual({ ...proposal, status: 'pending' });
        expect(await between(a, b)).toEqual(nothing);
      });

      test('does not touch a block, nor other friends', async () => {
        const [a, b] = users();
        const c = newUserId();
        await befriend(store, a, c);
        await store.block(sampleProposal(a, b));
        expect(await store.remove(a, b)).toBeNull();
        expect(await store.remove(b, a)).toBeNull();
        expect(await store.remove(a, a)).toBeNull();
        expect(await store.blocksBetween(a, [b])).toEqual({ blockedBy: [], blocking: [b] });
        expect(await store.friendsOf([a])).toEqual(new Map([[a, [c]]]));
      });
    });

    describe('block', () => {
      const block = (proposal: ReturnType<typeof sampleProposal>) => ({
        ...proposal,
        status: 'blocked',
      });

      test('can be repeated, and is undone once', async () => {
        const [a, b] = users();
        const proposal = sampleProposal(a, b);
        const outcome = { friendship: block(proposal), wereFriends: false };
        expect(await store.block(proposal)).toEqual(outcome);
        expect(await other.block(sampleProposal(a, b))).toEqual(outcome);
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [a] });
        expect(await store.unblock(b, a)).toBe(false);
        expect(await other.unblock(a, b)).toBe(true);
        expect(await store.unblock(a, b)).toBe(false);
        expect(await between(a, b)).toEqual(nothing);
        expect(await store.request(sampleProposal(b, a))).toMatchObject({ outcome: 'requested' });
      });

      test.each([0, 1])('ends a friendship for good, from side %i', async (side) => {
        const pair = users();
        const { _id } = await befriend(store, ...pair);
        const [from, to] = side === 0 ? pair : [pair[1], pair[0]];
        const proposal = sampleProposal(from, to);
        const friendship = block(proposal);
        expect(await store.block(proposal)).toEqual({ friendship, wereFriends: true });
        expect(await store.block(proposal)).toEqual({ friendship, wereFriends: false });
        expect(await store.answer(_id, pair[1], 'accept')).toBeNull();
        expect(await between(from, to)).toEqual({ is: 'blocked', by: [from] });
        await store.unblock(from, to);
        expect(await between(from, to)).toEqual(nothing);
      });

      test.each([0, 1])('ends a request, from side %i', async (side) => {
        const pair = users();
        const request = sampleProposal(...pair);
        await store.request(request);
        const [from, to] = side === 0 ? pair : [pair[1], pair[0]];
        expect(await store.block(sampleProposal(from, to))).toMatchObject({ wereFriends: false });
        expect(await store.answer(request._id, pair[1], 'accept')).toBeNull();
        expect(await store.requestTo(request._id, pair[1])).toBeNull();
        expect(await between(from, to)).toEqual({ is: 'blocked', by: [from] });
      });

      test('is each side’s own: neither shows the other, undoing one leaves the other', async () => {
        const [a, b] = users();
        const first = sampleProposal(a, b, '2026-03-01T12:00:00.000Z');
        const second = sampleProposal(b, a, '2026-03-01T13:00:00.000Z');
        const page = { limit: 5, offset: 0 };
        await store.block(first);
        for (const proposal of [second, sampleProposal(b, a)]) {
          const outcome = { friendship: block(second), wereFriends: false };
          expect(await other.block(proposal)).toEqual(outcome);
        }
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [a, b].toSorted() });
        expect(await store.blocksOf(a, page)).toEqual([block(first)]);
        expect(await store.blocksOf(b, page)).toEqual([block(second)]);
        expect(await store.unblock(a, b)).toBe(true);
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [b] });
        expect(await store.blocksOf(b, page)).toEqual([block(second)]);
        expect(await store.blocksOf(a, page)).toEqual([]);
        expect(await store.unblock(b, a)).toBe(true);
        expect(await between(a, b)).toEqual(nothing);
      });

      test('blocksBetween tells both directions, among a thousand', async () => {
        const me = newUserId();
        const strangers = Array.from({ length: 996 }, () => newUserId());
        const [friend, hates, hated, mutual] = [newUserId(), newUserId(), newUserId(), newUserId()];
        await befriend(store, friend, me);
        await store.block(sampleProposal(hates, me));
        await store.block(sampleProposal(me, hated));
        await store.block(sampleProposal(me, mutual));
        await store.block(sampleProposal(mutual, me));
        await store.block(sampleProposal(hates, hated));
        const others = [mutual, ...strangers, hates, friend, hated];
        const { blockedBy, blocking } = await other.blocksBetween(me, others);
        expect(blockedBy.toSorted()).toEqual([hates, mutual].toSorted());
        expect(blocking.toSorted()).toEqual([hated, mutual].toSorted());
        const empty = { blockedBy: [], blocking: [] };
        expect(await store.blocksBetween(me, [])).toEqual(empty);
        expect(await store.blocksBetween(me, [me])).toEqual(empty);
      });
    });

    friendListsContract(() => harness.stores);
    friendRacesContract(() => harness.stores);

    test('check resolves while the engine answers', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
