import type { Friendship, UserId } from '@bambochat/protocol';
import { describe, expect, test } from 'vitest';
import { twentyAtOnce } from './directory-doors.fixture.ts';
import { befriend, type FriendDoors, stateOf } from './friend-pair.fixture.ts';
import type { FriendStore } from './friend-store.ts';
import { newUserId, sampleProposal } from './sample-records.fixture.ts';

/** Each race is run several times: who wins differs. */
const ROUNDS = 4;

/**
 * Both sides of a pair at once, twenty calls each time: they must end in one state that both see,
 * and every caller must have been told what fits it.
 */
export function friendRacesContract(doors: FriendDoors): void {
  type Call = (door: FriendStore) => Promise<unknown>;

  const count = (outcomes: readonly unknown[], wanted: unknown) =>
    outcomes.filter((outcome) => outcome === wanted).length;
  const between = (a: UserId, b: UserId) => stateOf(doors(), a, b);

  let races = 0;

  /** The two kinds of call in turn, each of them through both doors; they take turns to be first. */
  async function race<One, Other>(
    one: (door: FriendStore) => Promise<One>,
    other: (door: FriendStore) => Promise<Other>,
  ): Promise<[One[], Other[]]> {
    const ones: One[] = [];
    const others: Other[] = [];
    races += 1;
    const first = (races % 2) * 2;
    await twentyAtOnce(doors(), async (door, index) => {
      if ((index + first) % 4 < 2) {
        ones.push(await one(door));
      } else {
        others.push(await other(door));
      }
    });
    expect([ones.length, others.length]).toEqual([10, 10]);
    return [ones, others];
  }

  const ask = (from: UserId, to: UserId) => (door: FriendStore) =>
    door.request(sampleProposal(from, to));
  const accept = (request: Friendship) => async (door: FriendStore) =>
    (await door.answer(request._id, request.addresseeId, 'accept'))?.outcome ?? null;
  const reject = (request: Friendship) => async (door: FriendStore) =>
    (await door.answer(request._id, request.addresseeId, 'reject'))?.outcome ?? null;
  const remove = (user: UserId, other: UserId) => (door: FriendStore) => door.remove(user, other);
  const block = (from: UserId, to: UserId) => (door: FriendStore) =>
    door.block(sampleProposal(from, to));
  const unblock = (from: UserId, to: UserId) => (door: FriendStore) => door.unblock(from, to);

  function rounds(name: string, run: (a: UserId, b: UserId, round: number) => Promise<void>): void {
    test(name, async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await run(newUserId(), newUserId(), round);
      }
    });
  }
  async function requested(a: UserId, b: UserId): Promise<Friendship> {
    const proposal = sampleProposal(a, b);
    await doors()[0].request(proposal);
    return { ...proposal, status: 'pending' };
  }
  const idsOf = (friendships: readonly Friendship[]) =>
    new Set(friendships.map(({ _id }) => _id)).size;

  describe('of twenty calls at once', () => {
    rounds('one request is the request, from one side', async (a, b) => {
      const outcomes = (await race(ask(a, b), ask(a, b))).flat();
      const kinds = outcomes.map(({ outcome }) => outcome);
      expect([count(kinds, 'requested'), count(kinds, 'exists')]).toEqual([1, 19]);
      expect(
        idsOf(outcomes.flatMap((found) => ('friendship' in found ? found.friendship : []))),
      ).toBe(1);
      expect(await between(a, b)).toMatchObject({ is: 'requested', request: { requesterId: a } });
    });

    rounds('request × request: one asks, one accepts', async (a, b) => {
      const outcomes = (await race(ask(a, b), ask(b, a))).flat();
      const kinds = outcomes.map(({ outcome }) => outcome);
      expect(kinds.toSorted()).toEqual(['accepted', ...Array(18).fill('exists'), 'requested']);
      expect(
        idsOf(outcomes.flatMap((found) => ('friendship' in found ? found.friendship : []))),
      ).toBe(1);
      expect(await between(a, b)).toEqual({ is: 'friends' });
    });

    rounds('request × block: the block stays', async (a, b) => {
      const [requests, blocks] = await race(ask(a, b), block(b, a));
      const kinds = requests.map(({ outcome }) => outcome);
      expect(count(kinds, 'requested')).toBeLessThanOrEqual(1);
      expect(count(kinds, 'exists')).toBeLessThanOrEqual(count(kinds, 'requested') * 9);
      const others = ['requested', 'exists', 'blocked'].map((kind) => count(kinds, kind));
      expect(others.reduce((sum, number) => sum + number)).toBe(10);
      expect(blocks.some(({ wereFriends }) => wereFriends)).toBe(false);
      expect(idsOf(blocks.map(({ friendship }) => friendship))).toBe(1);
      expect(await between(a, b)).toEqual({ is: 'blocked', by: [b] });
    });

    rounds('becoming friends × block: the block ends the friendship it met', async (a, b) => {
      await requested(a, b);
      const [requests, blocks] = await race(ask(b, a), block(a, b));
      const accepted = count(
        requests.map(({ outcome }) => outcome),
        'accepted',
      );
      expect(accepted).toBeLessThanOrEqual(1);
      expect(blocks.filter(({ wereFriends }) => wereFriends)).toHaveLength(accepted);
      expect(await between(a, b)).toEqual({ is: 'blocked', by: [a] });
    });

    rounds('accept × reject: the first answer counts', async (a, b) => {
      const request = await requested(a, b);
      const [accepts, rejects] = await race(accept(request), reject(request));
      if (accepts.includes('accepted')) {
        expect(accepts.toSorted()).toEqual(['accepted', ...Array(9).fill('repeated')]);
        expect(rejects).toEqual(Array(10).fill('conflict'));
        expect(await between(a, b)).toEqual({ is: 'friends' });
      } else {
        expect(accepts).toEqual(Array(10).fill(null));
        expect([count(rejects, 'rejected'), count(rejects, null)]).toEqual([1, 9]);
        expect(await between(a, b)).toEqual({ is: 'nothing' });
      }
    });

    rounds('accept × taking the request back: nothing stays', async (a, b) => {
      const request = await requested(a, b);
      const [accepts, removals] = await race(accept(request), remove(a, b));
      const [removed, ...more] = removals.filter((friendship) => friendship !== null);
      expect(more).toEqual([]);
      const accepted = count(accepts, 'accepted');
      expect(removed).toEqual({ ...request, status: accepted === 1 ? 'accepted' : 'pending' });
      expect(accepted).toBeLessThanOrEqual(1);
      expect(count(accepts, null) + count(accepts, 'repeated') + accepted).toBe(10);
      expect(await between(a, b)).toEqual({ is: 'nothing' });
    });

    rounds('remove × accept by the same side: a friendship ends once at most', async (a, b) => {
      const request = await requested(a, b);
      const [removals, accepts] = await race(remove(b, a), accept(request));
      const removed = removals.filter((friendship) => friendship !== null);
      expect(count(accepts, 'accepted')).toBe(1);
      expect(count(accepts, 'repeated') + count(accepts, null)).toBe(9);
      expect(removed.every(({ status }) => status === 'accepted')).toBe(true);
      if (removed.length === 0) {
        expect(accepts).not.toContain(null);
      }
      const is = removed.length > 0 ? 'nothing' : 'friends';
      expect(removed.length).toBeLessThanOrEqual(1);
      expect(await between(a, b)).toEqual({ is });
    });

    rounds('remove × remove: one of both sides ends the friendship', async (a, b) => {
      const friendship = await befriend(doors()[0], a, b);
      const removals = (await race(remove(a, b), remove(b, a))).flat();
      expect(removals.filter((removed) => removed !== null)).toEqual([friendship]);
      expect(await between(a, b)).toEqual({ is: 'nothing' });
    });

    rounds(
      'accept × block: either way blocked, and told whether they were friends',
      async (a, b, round) => {
        const request = await requested(a, b);
        const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
        const [accepts, blocks] = await race(accept(request), block(from, to));
        const accepted = count(accepts, 'accepted');
        expect(accepted).toBeLessThanOrEqual(1);
        expect(blocks.filter(({ wereFriends }) => wereFriends)).toHaveLength(accepted);
        expect(await between(a, b)).toEqual({ is: 'blocked', by: [from] });
      },
    );

    rounds('block × block: both block, and the friendship ends once', async (a, b) => {
      await befriend(doors()[0], a, b);
      const blocks = (await race(block(a, b), block(b, a))).flat();
      expect(blocks.filter(({ wereFriends }) => wereFriends)).toHaveLength(1);
      expect(idsOf(blocks.map(({ friendship }) => friendship))).toBe(2);
      expect(await between(a, b)).toEqual({ is: 'blocked', by: [a, b].toSorted() });
    });

    rounds('unblock × unblock: each side ends its own block once', async (a, b) => {
      await block(a, b)(doors()[0]);
      await block(b, a)(doors()[1]);
      const [ones, others] = await race(unblock(a, b), unblock(b, a));
      expect([count(ones, true), count(others, true)]).toEqual([1, 1]);
      expect(await between(a, b)).toEqual({ is: 'nothing' });
    });

    rounds('unblock × block by the other: the other’s block stays', async (a, b) => {
      await block(a, b)(doors()[0]);
      const [ones] = await race(unblock(a, b), block(b, a));
      expect(count(ones, true)).toBe(1);
      expect(await between(a, b)).toEqual({ is: 'blocked', by: [b] });
    });

    rounds('remove × request: what is left is what was told last', async (a, b) => {
      await befriend(doors()[0], a, b);
      const [removals, requests] = await race(remove(a, b), ask(b, a));
      expect(removals.filter((removed) => removed !== null)).toHaveLength(1);
      const kinds = requests.map(({ outcome }) => outcome);
      // B's own request cannot be ended by A with remove, so at most one is made, and it stays.
      const made = count(kinds, 'requested');
      expect(made).toBeLessThanOrEqual(1);
      expect(count(kinds, 'exists')).toBe(10 - made);
      expect((await between(a, b)).is).toBe(made === 1 ? 'requested' : 'nothing');
    });
  });

  test('in a storm of all calls each friendship that began has ended, or is there', async () => {
    let all = 0;
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const [a, b] = [newUserId(), newUserId()];
      const [first] = doors();
      let [begun, ended] = [0, 0];
      let answerable = await requested(a, b);
      const countAsk = (from: UserId, to: UserId) => async (door: FriendStore) => {
        const found = await ask(from, to)(door);
        begun += found.outcome === 'accepted' ? 1 : 0;
        answerable = 'friendship' in found ? found.friendship : answerable;
      };
      const countAccept: Call = async (door) => {
        const outcome = await accept(answerable)(door);
        begun += outcome === 'accepted' ? 1 : 0;
      };
      const countRemove = (user: UserId, other: UserId) => async (door: FriendStore) => {
        const removed = await door.remove(user, other);
        ended += removed?.status === 'accepted' ? 1 : 0;
      };
      const countBlock = (from: UserId, to: UserId) => async (door: FriendStore) => {
        const { wereFriends } = await block(from, to)(door);
        ended += wereFriends ? 1 : 0;
        await door.unblock(from, to);
      };
      const calls: Call[] = [
        countAsk(a, b),
        countAsk(b, a),
        countAccept,
        countRemove(a, b),
        countBlock(b, a),
        (door) => reject(answerable)(door),
        countRemove(b, a),
      ];
      await twentyAtOnce(doors(), async (door, index) => {
        for (let step = 0; step < 5; step += 1) {
          await calls[(index * 3 + step + round) % calls.length]?.(door);
        }
      });
      const { is } = await stateOf(doors(), a, b);
      expect(begun - ended).toBe(is === 'friends' ? 1 : 0);
      expect(is).not.toBe('blocked');
      all += begun;
      await befriendAgain(first, a, b);
    }
    expect(all).toBeGreaterThan(0);
  });

  /** Whatever there was, the pair is as usable as any other. */
  async function befriendAgain(store: FriendStore, a: UserId, b: UserId): Promise<void> {
    await store.request(sampleProposal(a, b));
    await store.request(sampleProposal(b, a));
    expect(await between(a, b)).toEqual({ is: 'friends' });
    expect(await store.remove(b, a)).toMatchObject({ status: 'accepted' });
    expect(await between(a, b)).toEqual({ is: 'nothing' });
  }
}
