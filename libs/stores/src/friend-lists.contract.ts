import type { Friendship } from '@bambochat/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { befriend, type FriendDoors } from './friend-pair.fixture.ts';
import type { FriendPage, FriendStore } from './friend-store.ts';
import { newUserId, sampleProposal } from './sample-records.fixture.ts';

/** What every friend store must list and count. */
export function friendListsContract(doors: FriendDoors): void {
  let store: FriendStore;
  let other: FriendStore;
  beforeAll(() => {
    [store, other] = doors();
  });
  const all: FriendPage = { limit: 1000, offset: 0 };

  describe('friendsOf', () => {
    test('gives each user a list, whoever asked whom', async () => {
      const [me, asked, asking] = [newUserId(), newUserId(), newUserId()];
      const [pending, suitor, blocked, stranger] = Array.from({ length: 4 }, () => newUserId());
      if (!(pending && suitor && blocked && stranger)) {
        throw new Error('Four users were made');
      }
      await befriend(store, me, asked);
      await befriend(store, asking, me);
      await store.request(sampleProposal(me, pending));
      await store.request(sampleProposal(suitor, me));
      await store.block(sampleProposal(me, blocked));
      const found = await other.friendsOf([me, asked, me, stranger, pending, blocked]);
      expect(found.get(me)?.toSorted()).toEqual([asked, asking].toSorted());
      found.delete(me);
      expect(found).toEqual(
        new Map([
          [asked, [me]],
          [stranger, []],
          [pending, []],
          [blocked, []],
        ]),
      );
      expect(await store.friendsOf([])).toEqual(new Map());
    });

    test('answers for five hundred users at once', async () => {
      const users = Array.from({ length: 500 }, () => newUserId());
      const ring = users.slice(0, 40);
      await Promise.all(
        ring.map((user, index) => befriend(store, user, ring[(index + 1) % 40] ?? user)),
      );
      const found = await other.friendsOf(users);
      expect([...found.keys()]).toEqual(users);
      for (const [index, user] of users.entries()) {
        const neighbours = [ring[(index + 39) % 40], ring[(index + 1) % 40]].toSorted();
        expect(found.get(user)?.toSorted()).toEqual(index < 40 ? neighbours : []);
      }
    });
  });

  test('countBonds counts friends and own requests', async () => {
    const me = newUserId();
    await befriend(store, me, newUserId());
    await befriend(store, newUserId(), me);
    await store.request(sampleProposal(me, newUserId()));
    await store.request(sampleProposal(newUserId(), me));
    await store.block(sampleProposal(me, newUserId()));
    await store.block(sampleProposal(newUserId(), me));
    expect(await other.countBonds(me)).toBe(3);
    expect(await store.countBonds(newUserId())).toBe(0);
  });

  const seconds = [3, 1, 2, 5, 4].map((second) => `2026-03-01T12:00:0${second}.000Z`);
  const newestFirst = (list: readonly Friendship[]) =>
    list.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));

  const lists: [
    string,
    (page: FriendPage, me: Friendship['requesterId']) => Promise<Friendship[]>,
    (me: Friendship['requesterId'], createdAt: string) => Promise<Friendship>,
  ][] = [
    [
      'receivedRequests',
      (page, me) => other.receivedRequests(me, page),
      async (me, createdAt) => {
        const proposal = sampleProposal(newUserId(), me, createdAt);
        await store.request(proposal);
        return { ...proposal, status: 'pending' };
      },
    ],
    [
      'sentRequests',
      (page, me) => other.sentRequests(me, page),
      async (me, createdAt) => {
        const proposal = sampleProposal(me, newUserId(), createdAt);
        await store.request(proposal);
        return { ...proposal, status: 'pending' };
      },
    ],
    [
      'blocksOf',
      (page, me) => other.blocksOf(me, page),
      async (me, createdAt) =>
        (await store.block(sampleProposal(me, newUserId(), createdAt))).friendship,
    ],
  ];
  describe.each(lists)('%s', (_name, list, add) => {
    test('comes newest first, in pages', async () => {
      const me = newUserId();
      const added: Friendship[] = [];
      for (const createdAt of seconds) {
        added.push(await add(me, createdAt));
      }
      await add(newUserId(), '2026-03-01T12:00:09.000Z');
      const expected = newestFirst(added);
      expect(await list(all, me)).toEqual(expected);
      expect(await list({ limit: 2, offset: 0 }, me)).toEqual(expected.slice(0, 2));
      expect(await list({ limit: 2, offset: 2 }, me)).toEqual(expected.slice(2, 4));
      expect(await list({ limit: 2, offset: 4 }, me)).toEqual(expected.slice(4));
      expect(await list({ limit: 2, offset: 5 }, me)).toEqual([]);
      expect(await list({ limit: 0, offset: 0 }, me)).toEqual([]);
      expect(await list({ limit: -1, offset: 0 }, me)).toEqual([]);
      expect(await list(all, newUserId())).toEqual([]);
    });

    test('puts the newer id first of what came in one millisecond', async () => {
      const me = newUserId();
      const added: Friendship[] = [];
      for (let index = 0; index < 5; index += 1) {
        added.push(await add(me, '2026-03-01T12:00:00.000Z'));
      }
      expect(await list(all, me)).toEqual(added.toReversed());
    });
  });

  test('blocksOf goes by the time of the own block, whenever the others blocked', async () => {
    const [me, x, y, z] = [newUserId(), newUserId(), newUserId(), newUserId()];
    const at = (hour: number) => `2026-03-01T0${hour}:00:00.000Z`;
    const blocked: [Friendship['requesterId'], Friendship['requesterId'], string][] = [
      [x, me, at(9)],
      [me, x, at(1)],
      [me, y, at(5)],
      [y, me, at(0)],
      [me, z, at(3)],
    ];
    for (const [from, to, createdAt] of blocked) {
      await store.block(sampleProposal(from, to, createdAt));
    }
    const found = await other.blocksOf(me, all);
    expect(found.map(({ addresseeId }) => addresseeId)).toEqual([y, z, x]);
    expect(found.map(({ createdAt }) => createdAt)).toEqual([at(5), at(3), at(1)]);
    expect(await store.blocksOf(me, { limit: 1, offset: 2 })).toEqual(found.slice(2));
  });

  test('lists of requests leave out what was accepted, rejected, taken back or blocked', async () => {
    const [me, ...others] = Array.from({ length: 6 }, () => newUserId());
    const [kept, accepted, rejected, takenBack, blocked] = others;
    if (!(me && kept && accepted && rejected && takenBack && blocked)) {
      throw new Error('Six users were made');
    }
    const requests = new Map<string, Friendship['_id']>();
    for (const user of others) {
      const proposal = sampleProposal(me, user);
      requests.set(user, proposal._id);
      await store.request(proposal);
    }
    const idOf = (user: string) => requests.get(user) ?? sampleProposal(me, kept)._id;
    await store.answer(idOf(accepted), accepted, 'accept');
    await store.answer(idOf(rejected), rejected, 'reject');
    await store.remove(me, takenBack);
    await store.block(sampleProposal(blocked, me));
    const sent = await other.sentRequests(me, all);
    expect(sent.map(({ addresseeId }) => addresseeId)).toEqual([kept]);
    for (const user of others) {
      expect(await other.receivedRequests(user, all)).toEqual(user === kept ? sent : []);
    }
    expect(await other.countBonds(me)).toBe(2);
  });
}
