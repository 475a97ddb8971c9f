import { describe, expect, test } from 'vitest';
import {
  askFriendship,
  befriend,
  deleteFriend,
  expectMessageOnly,
  friendIds,
  friendshipOf,
  listOf,
  postRequest,
  putAnswer,
  unfriend,
} from './befriend.ts';
import {
  expectFriendship,
  expectRestError,
  expectUser,
  type Friendship,
} from './contract-shapes.ts';
import { createGroup, newPeople, online, type Person, privateText, randomName } from './person.ts';
import { request } from './rest-client.ts';
import type { Target } from './target.ts';

type Pair = [Person, Person];
type Trio = [Person, Person, Person];

/** Well-formed, and nobody's. */
const absent = '01890a5d-ac96-774b-bcce-b302099a8057';

export function describeFriends(target: () => Target): void {
  describe('friends', () => {
    test('one asks, the other accepts, and both see it on every device', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'friend', 3)) as Trio;
      const { _id: common } = await createGroup(ada, [ben, cleo]);
      using adaHere = await online(target(), ada, 0);
      using adaThere = await online(target(), ada, 1);
      using benHere = await online(target(), ben, 0);
      using benThere = await online(target(), ben, 1);
      using atCleo = await online(target(), cleo, 1);

      const asked = await askFriendship(ada, ben);
      const profile = (await ada.rest('GET', '/api/users/me')).body as { displayName: string };
      for (const connection of [benHere, benThere]) {
        const { payload } = await connection.hearsEvent('friend_request', { _id: asked._id });
        expect(payload).toStrictEqual({
          ...asked,
          requester: { _id: ada.userId, displayName: profile.displayName, avatar: null },
        });
      }
      expect(await listOf(ben, '/requests/pending')).toStrictEqual([asked]);
      expect(await listOf(ada, '/requests/sent')).toStrictEqual([asked]);
      expect(await listOf(ada, '/requests/pending')).toEqual([]);
      expect(await listOf(ben, '/requests/sent')).toEqual([]);
      expect(await friendIds(ada)).toEqual([]);

      const answer = await putAnswer(ben, asked, 'accept');
      expect(answer.status).toBe(200);
      const accepted = expectFriendship(friendshipOf(answer), { ...asked, status: 'accepted' });
      for (const connection of [adaHere, adaThere]) {
        const { payload } = await connection.hearsEvent('friend_request_update', {});
        expect(payload).toStrictEqual(accepted);
      }
      for (const [person, other] of [
        [ada, ben],
        [ben, ada],
      ] as const) {
        const friends = await listOf(person, '');
        expect(friends).toHaveLength(1);
        expectUser(friends[0], other.userId);
        expect(await listOf(person, '/requests/pending')).toEqual([]);
        expect(await listOf(person, '/requests/sent')).toEqual([]);
      }

      // What comes last to each of them proves that nobody heard what is not theirs.
      const marker = await atCleo.say(common, privateText('marker'));
      for (const connection of [adaHere, adaThere, benHere, benThere]) {
        await connection.hears(marker);
      }
      const own = await adaHere.say(common, privateText('another'));
      await atCleo.hears(own);
      for (const connection of [adaHere, adaThere, atCleo]) {
        expect(connection.payloads('friend_request')).toEqual([]);
      }
      for (const connection of [benHere, benThere, atCleo]) {
        expect(connection.payloads('friend_request_update')).toEqual([]);
      }
      expect(benHere.payloads('friend_request')).toHaveLength(1);
      expect(adaThere.payloads('friend_request_update')).toHaveLength(1);
    });

    test('a request that is rejected is gone, and can be made again', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      using atAda = await online(target(), ada, 0);
      using alsoAda = await online(target(), ada, 1);
      const asked = await askFriendship(ada, ben);
      const answer = await putAnswer(ben, asked, 'reject');
      expect(answer.status).toBe(200);
      expect(friendshipOf(answer)).toStrictEqual({ ...asked, status: 'rejected' });
      for (const connection of [atAda, alsoAda]) {
        const { payload } = await connection.hearsEvent('friend_request_update', {});
        expect(payload).toStrictEqual({ ...asked, status: 'rejected' });
      }
      for (const list of ['', '/requests/pending', '/requests/sent'] as const) {
        expect(await listOf(ada, list)).toEqual([]);
        expect(await listOf(ben, list)).toEqual([]);
      }
      expectRestError(await putAnswer(ben, asked, 'accept'), 404, 'NOT_FOUND');
      expectRestError(await putAnswer(ben, asked, 'reject'), 404, 'NOT_FOUND');
      await befriend(ada, ben);
      expect(await friendIds(ada)).toEqual([ben.userId]);
    });

    test('a request can be taken back by who made it', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      const asked = await askFriendship(ada, ben);
      // The addressee rejects; there is nothing of theirs to take back.
      expectRestError(await deleteFriend(ben, ada), 404, 'NOT_FOUND');
      expectMessageOnly(await deleteFriend(ada, ben));
      expect(await listOf(ben, '/requests/pending')).toEqual([]);
      expect(await listOf(ada, '/requests/sent')).toEqual([]);
      expectRestError(await putAnswer(ben, asked, 'accept'), 404, 'NOT_FOUND');
      expectRestError(await deleteFriend(ada, ben), 404, 'NOT_FOUND');
      await befriend(ben, ada);
    });

    test('either side ends a friendship', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      for (const [one, other] of [
        [ada, ben],
        [ben, ada],
      ] as const) {
        await befriend(ada, ben);
        await unfriend(one, other);
        expect(await friendIds(ada)).toEqual([]);
        expect(await friendIds(ben)).toEqual([]);
        expectRestError(await deleteFriend(one, other), 404, 'NOT_FOUND');
        expectRestError(await deleteFriend(other, one), 404, 'NOT_FOUND');
      }
    });

    test('who asks somebody that has asked already accepts', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      using atAda = await online(target(), ada, 0);
      const asked = await askFriendship(ada, ben);
      const answer = await postRequest(ben, ada.userId);
      expect(answer.status).toBe(201);
      expect(friendshipOf(answer)).toStrictEqual({ ...asked, status: 'accepted' });
      const { payload } = await atAda.hearsEvent('friend_request_update', {});
      expect(payload).toStrictEqual({ ...asked, status: 'accepted' });
      expect(atAda.payloads('friend_request')).toEqual([]);
      expect(await friendIds(ada)).toEqual([ben.userId]);
      expect(await friendIds(ben)).toEqual([ada.userId]);
    });

    test('what was decided stays, and is told once', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'friend', 3)) as Trio;
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const asked = await askFriendship(ada, ben);
      expectRestError(await postRequest(ada, ben.userId), 409, 'CONFLICT');
      const first = await putAnswer(ben, asked, 'accept');
      const again = await putAnswer(ben, asked, 'accept');
      expect(again.status).toBe(200);
      expect(friendshipOf(again)).toStrictEqual(friendshipOf(first));
      expectRestError(await putAnswer(ben, asked, 'reject'), 409, 'CONFLICT');
      expectRestError(await postRequest(ada, ben.userId), 409, 'CONFLICT');
      expectRestError(await postRequest(ben, ada.userId), 409, 'CONFLICT');
      expect(await friendIds(ada)).toEqual([ben.userId]);
      // A later event of the same kind marks the end.
      const marker = await askFriendship(ada, cleo);
      await putAnswer(cleo, marker, 'accept');
      await atAda.hearsEvent('friend_request_update', { _id: marker._id });
      const other = await askFriendship(cleo, ben);
      await atBen.hearsEvent('friend_request', { _id: other._id });
      const ids = (payloads: Friendship[]) => payloads.map(({ _id }) => _id);
      expect(ids(atAda.payloads('friend_request_update'))).toEqual([asked._id, marker._id]);
      expect(ids(atBen.payloads('friend_request'))).toEqual([asked._id, other._id]);
    });

    test('only the addressee answers, and cannot tell absent from somebody else’s', async () => {
      const [ada, ben, mallory] = (await newPeople(target(), 'friend', 3)) as Trio;
      const asked = await askFriendship(ada, ben);
      for (const action of ['accept', 'reject']) {
        const missing = await putAnswer(mallory, { _id: absent }, action);
        expectRestError(missing, 404, 'NOT_FOUND');
        for (const person of [ada, mallory]) {
          const forbidden = await putAnswer(person, asked, action);
          expectRestError(forbidden, 404, 'NOT_FOUND');
          expect(forbidden.body).toStrictEqual(missing.body);
        }
      }
      const stranger = await deleteFriend(mallory, ada);
      expectRestError(stranger, 404, 'NOT_FOUND');
      expect((await deleteFriend(mallory, { userId: randomName() })).body).toStrictEqual(
        stranger.body,
      );
      for (const list of ['', '/requests/pending', '/requests/sent', '/presence'] as const) {
        expect(await listOf(mallory, list)).toEqual([]);
      }
      expect(await listOf(ben, '/requests/pending')).toStrictEqual([asked]);
    });

    test('wrong requests are refused, and the field is named', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      expectRestError(await postRequest(ada, ada.userId), 400, 'VALIDATION', 'addresseeId');
      expectRestError(await postRequest(ada, randomName()), 404, 'NOT_FOUND');
      const notAnId = [undefined, null, '', 7, {}, { $gt: '' }, ['x'], 'x'.repeat(51), 'a b', '\0'];
      for (const addresseeId of notAnId) {
        expectRestError(await postRequest(ada, addresseeId), 400, 'VALIDATION', 'addresseeId');
      }
      const asked = await askFriendship(ada, ben);
      for (const action of ['', 'block', 'ACCEPT', '$set']) {
        expectRestError(await putAnswer(ben, asked, action), 400, 'VALIDATION', 'action');
      }
      for (const json of [{}, { action: null }, { action: { $ne: 1 } }, [], 'accept']) {
        const path = `/api/friends/requests/${asked._id}`;
        const answer = await ben.rest('PUT', path, { json });
        expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION' } });
      }
      for (const id of ['x', '%00', '1'.repeat(1000)]) {
        const answer = await putAnswer(ben, { _id: id }, 'accept');
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
      }
      for (const query of [{ limit: 0 }, { limit: 1001 }, { offset: -1 }, { limit: 'x' }]) {
        const answer = await ben.rest('GET', '/api/friends/requests/pending', { query });
        expectRestError(answer, 400, 'VALIDATION', Object.keys(query)[0]);
      }
      expect(await listOf(ben, '/requests/pending')).toStrictEqual([asked]);
    });

    test('without a token nothing is told and nothing done', async () => {
      const [ada, ben] = (await newPeople(target(), 'friend', 2)) as Pair;
      const asked = await askFriendship(ada, ben);
      for (const [method, path, json] of [
        ['GET', '/api/friends'],
        ['GET', '/api/friends/presence'],
        ['GET', '/api/friends/blocks'],
        ['GET', '/api/friends/requests/pending'],
        ['GET', '/api/friends/requests/sent'],
        ['POST', '/api/friends/requests', { addresseeId: ada.userId }],
        ['PUT', `/api/friends/requests/${asked._id}`, { action: 'accept' }],
        ['PUT', `/api/friends/blocks/${ada.userId}`],
        ['DELETE', `/api/friends/blocks/${ada.userId}`],
        ['DELETE', `/api/friends/${ada.userId}`],
      ] as const) {
        const answer = await request(target().restUrl, method, path, { json });
        expectRestError(answer, 401, 'AUTH_REQUIRED');
      }
      expect(await listOf(ben, '/requests/pending')).toStrictEqual([asked]);
    });

    test('requests are listed newest first, in pages, and friends by id', async () => {
      const [ada, ...others] = (await newPeople(target(), 'friend', 6)) as [Person, ...Person[]];
      const asked: Friendship[] = [];
      for (const other of others) {
        asked.unshift(await askFriendship(other, ada));
      }
      expect(await listOf(ada, '/requests/pending')).toStrictEqual(asked);
      const pages = await Promise.all(
        [0, 2, 4, 6].map((offset) =>
          listOf<Friendship>(ada, '/requests/pending', { limit: 2, offset }),
        ),
      );
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1, 0]);
      expect(pages.flat()).toStrictEqual(asked);
      for (const friendship of asked) {
        expect((await putAnswer(ada, friendship, 'accept')).status).toBe(200);
      }
      expect(await friendIds(ada)).toEqual(others.map(({ userId }) => userId).sort());

      const sent: Friendship[] = [];
      const strangers = await newPeople(target(), 'friend', 3);
      for (const stranger of strangers) {
        sent.unshift(await askFriendship(ada, stranger));
      }
      expect(await listOf(ada, '/requests/sent')).toStrictEqual(sent);
      expect(await listOf(ada, '/requests/sent', { limit: 1, offset: 1 })).toStrictEqual([sent[1]]);
    });

    test('no answer and no event carries an email address', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'friend', 3)) as Trio;
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const asked = await askFriendship(ada, ben);
      await atBen.hearsEvent('friend_request', {});
      const answers = [
        await putAnswer(ben, asked, 'accept'),
        await postRequest(cleo, ada.userId),
        await ada.rest('PUT', `/api/friends/blocks/${cleo.userId}`),
      ];
      await atAda.hearsEvent('friend_request_update', {});
      for (const list of ['', '/presence', '/blocks', '/requests/pending', '/requests/sent']) {
        for (const person of [ada, ben, cleo]) {
          answers.push(await person.rest('GET', `/api/friends${list}`));
        }
      }
      expect(answers.map(({ status }) => status)).not.toContain(500);
      const text = JSON.stringify([answers.map(({ body }) => body), atAda.heard, atBen.heard]);
      expect(text).not.toMatch(/@mail\.example|email|password|isVerified/);
    });
  });
}
