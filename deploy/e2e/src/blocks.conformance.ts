import { beforeAll, describe, expect, test } from 'vitest';
import {
  askFriendship,
  befriend,
  block,
  deleteBlock,
  deleteFriend,
  friendIds,
  listOf,
  postRequest,
  putAnswer,
  putBlock,
  unblock,
} from './befriend.ts';
import { expectRestError, type Friendship } from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
  randomName,
} from './person.ts';
import type { RestAnswer } from './rest-client.ts';
import type { Target } from './target.ts';

type Pair = [Person, Person];
type Trio = [Person, Person, Person];

function openDirect(person: Person, otherId: string): Promise<RestAnswer> {
  return person.rest('POST', '/api/conversations', {
    json: { type: 'direct_message', participantIds: [otherId] },
  });
}

function openGroup(person: Person, participantIds: readonly string[]): Promise<RestAnswer> {
  return person.rest('POST', '/api/conversations', {
    json: { type: 'group', name: 'a group', participantIds },
  });
}

export function describeBlocks(target: () => Target): void {
  describe('blocks', () => {
    /** Who has never been; as long as the ids of the others. */
    let nobody: string;
    beforeAll(() => {
      nobody = `block-${randomName()}`;
    });

    /** Asserts that two answers differ in nothing but the id that was asked for. */
    function expectSame(answer: RestAnswer, named: string, missing: RestAnswer): void {
      const told = JSON.stringify(answer.body).replaceAll(named, nobody);
      expect({ status: answer.status, body: JSON.parse(told) as unknown }).toStrictEqual({
        status: missing.status,
        body: missing.body,
      });
    }

    test('a block is listed for who made it, can be repeated, and ends', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'block', 3)) as Trio;
      const blocked = await block(ada, ben);
      expect(await block(ada, ben)).toStrictEqual(blocked);
      const other = await block(ada, cleo);
      expect(await listOf(ada, '/blocks')).toStrictEqual([other, blocked]);
      expect(await listOf(ada, '/blocks', { limit: 1, offset: 1 })).toStrictEqual([blocked]);
      for (const list of ['', '/requests/pending', '/requests/sent', '/blocks'] as const) {
        expect(await listOf(ben, list)).toEqual([]);
        if (list !== '/blocks') {
          expect(await listOf(ada, list)).toEqual([]);
        }
      }
      // Nobody lifts the block of somebody else, nor learns of it.
      const notMine = await deleteBlock(ben, ada);
      expectRestError(notMine, 404, 'NOT_FOUND');
      expectSame(notMine, ada.userId, await deleteBlock(ben, { userId: nobody }));
      await unblock(ada, ben);
      expectRestError(await deleteBlock(ada, ben), 404, 'NOT_FOUND');
      expect(await listOf(ada, '/blocks')).toStrictEqual([other]);
    });

    test('nobody blocks themselves, nor who does not exist', async () => {
      const [ada] = (await newPeople(target(), 'block', 1)) as [Person];
      expectRestError(await putBlock(ada, ada), 400, 'VALIDATION', 'userId');
      expectRestError(await putBlock(ada, { userId: nobody }), 404, 'NOT_FOUND');
      expectRestError(await putBlock(ada, { userId: 'x'.repeat(51) }), 400, 'VALIDATION', 'userId');
    });

    test('to who is blocked, the blocker looks like nobody', async () => {
      const [ada, ben] = (await newPeople(target(), 'block', 2)) as Pair;
      await block(ada, ben);
      expectSame(await postRequest(ben, ada.userId), ada.userId, await postRequest(ben, nobody));
      expectSame(await openDirect(ben, ada.userId), ada.userId, await openDirect(ben, nobody));
      expectSame(await openGroup(ben, [ada.userId]), ada.userId, await openGroup(ben, [nobody]));
      expectSame(
        await deleteFriend(ben, ada),
        ada.userId,
        await deleteFriend(ben, {
          userId: nobody,
        }),
      );
      expect((await postRequest(ben, ada.userId)).status).toBe(404);
      expect((await openDirect(ben, ada.userId)).status).toBeGreaterThanOrEqual(400);
      for (const list of ['/requests/pending', '/requests/sent', ''] as const) {
        expect(await listOf(ada, list)).toEqual([]);
      }
      expect((await ada.rest('GET', '/api/conversations')).body).toEqual([]);
      expect((await ben.rest('GET', '/api/conversations')).body).toEqual([]);
    });

    test('who is blocked cannot bring the blocker into a group, alone or among others', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'block', 3)) as Trio;
      await block(ada, ben);
      const { _id } = await createGroup(ben, [cleo]);
      const add = (ids: string[]) =>
        ben.rest('POST', `/api/conversations/${_id}/participants`, {
          json: { participantIds: ids },
        });
      expectSame(await add([ada.userId]), ada.userId, await add([nobody]));
      expectSame(
        await openGroup(ben, [cleo.userId, ada.userId]),
        ada.userId,
        await openGroup(ben, [cleo.userId, nobody]),
      );
      expect((await add([ada.userId])).status).toBeGreaterThanOrEqual(400);
      expect((await ada.rest('GET', '/api/conversations')).body).toEqual([]);
    });

    test('a direct conversation that exists is not opened again for who is blocked', async () => {
      const [ada, ben] = (await newPeople(target(), 'block', 2)) as Pair;
      const { _id } = await createDirect(ada, ben);
      await block(ada, ben);
      expectSame(await openDirect(ben, ada.userId), ada.userId, await openDirect(ben, nobody));
      expectRestError(await openDirect(ada, ben.userId), 409, 'CONFLICT');
      await unblock(ada, ben);
      for (const [person, other] of [
        [ada, ben],
        [ben, ada],
      ] as const) {
        expect(await openDirect(person, other.userId)).toMatchObject({
          status: 200,
          body: { isExisting: true, conversation: { _id } },
        });
      }
    });

    test('who blocks is told to unblock first, and may still share groups', async () => {
      const [ada, ben] = (await newPeople(target(), 'block', 2)) as Pair;
      await block(ada, ben);
      expectRestError(await postRequest(ada, ben.userId), 409, 'CONFLICT');
      expectRestError(await openDirect(ada, ben.userId), 409, 'CONFLICT');
      const { _id } = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      await atBen.hears(await atAda.say(_id, privateText('in a group')));
    });

    test.for(['the blocker', 'the blocked'] as const)(
      'a block ends friendship and the request that %s has made, and tells nobody',
      async (by) => {
        const [ada, ben, cleo] = (await newPeople(target(), 'block', 3)) as Trio;
        using atAda = await online(target(), ada, 0);
        using atBen = await online(target(), ben, 1);
        const asked = await (by === 'the blocker'
          ? askFriendship(ada, ben)
          : askFriendship(ben, ada));
        const addressee = by === 'the blocker' ? ben : ada;
        await block(ada, ben);
        for (const list of ['', '/requests/pending', '/requests/sent'] as const) {
          expect(await listOf(ada, list)).toEqual([]);
          expect(await listOf(ben, list)).toEqual([]);
        }
        expectRestError(await putAnswer(addressee, asked, 'accept'), 404, 'NOT_FOUND');

        await unblock(ada, ben);
        // Nothing comes back by itself; they begin anew.
        expect(await friendIds(ada)).toEqual([]);
        await befriend(ada, ben);
        await block(ada, ben);
        expect(await friendIds(ada)).toEqual([]);
        expect(await friendIds(ben)).toEqual([]);

        const toAda = await askFriendship(cleo, ada);
        const toBen = await askFriendship(cleo, ben);
        await atAda.hearsEvent('friend_request', { _id: toAda._id });
        await atBen.hearsEvent('friend_request', { _id: toBen._id });
        const heard = [...atAda.heard, ...atBen.heard].filter(({ name }) => /friend/.test(name));
        // Of the two: one request, then request and acceptance; of the blocks nothing.
        expect(heard.map(({ name }) => name).sort()).toEqual(
          [...Array(4).fill('friend_request'), 'friend_request_update'].sort(),
        );
      },
    );

    test('both may block each other, and each lifts only their own', async () => {
      const [ada, ben] = (await newPeople(target(), 'block', 2)) as Pair;
      await block(ada, ben);
      await block(ben, ada);
      for (const [person, other] of [
        [ada, ben],
        [ben, ada],
      ] as const) {
        const [blocked, ...more] = await listOf<Friendship>(person, '/blocks');
        expect(blocked).toMatchObject({ requesterId: person.userId, addresseeId: other.userId });
        expect(more).toEqual([]);
        expectSame(
          await postRequest(person, other.userId),
          other.userId,
          await postRequest(person, nobody),
        );
      }
      await unblock(ada, ben);
      expect(await listOf(ada, '/blocks')).toEqual([]);
      expect(await listOf(ben, '/blocks')).toHaveLength(1);
      expect((await postRequest(ada, ben.userId)).status).toBe(404);
      expect((await postRequest(ben, ada.userId)).status).toBe(409);
      await unblock(ben, ada);
      await befriend(ada, ben);
    });
  });
}
