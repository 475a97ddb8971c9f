import type { Friendship, UserId } from '@bambochat/protocol';
import { uuidv7 } from 'uuidv7';
import { describe, expect, it } from 'vitest';
import { usersOf } from './conversation-fixture.ts';
import { type Engines, nextMillisecond, startDirectory } from './directory-fixture.ts';
import {
  friendActions,
  noFriend,
  noRequest,
  nothing,
  startFriends,
  unknownUser,
} from './friend-fixture.ts';

/** Requests and friendships, over whichever engines. */
export function friendsContract(engines: () => Engines): void {
  const started = (overrides: Parameters<typeof startFriends>[1] = {}) =>
    startFriends(engines(), overrides);

  describe('friend requests', () => {
    it('wait for an answer on both sides, and the addressee hears of them', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const answer = await it.ask(ann, ben);
      expect(answer.status).toBe(201);
      const friendship = it.friendshipOf(answer);
      expect(answer.body).toEqual({
        message: 'Friend request sent',
        friendship: {
          _id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          requesterId: ann,
          addresseeId: ben,
          status: 'pending',
          createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
        },
      });
      const requester = { _id: ann, displayName: `Name of ${ann}`, avatar: null };
      expect(await it.heardBy(ann, ben, cem)).toEqual({
        friendEvents: [{ to: ben, event: 'friend_request', payload: { ...friendship, requester } }],
        statusChanges: [],
      });
      expect(await it.sent(ann)).toEqual([friendship]);
      expect(await it.received(ben)).toEqual([friendship]);
      expect(await it.received(ann)).toEqual([]);
      expect(await it.sent(ben)).toEqual([]);
      expect(await it.friends(ann)).toEqual([]);
    });

    it('are made once, to another user who exists', async () => {
      await using it = await started();
      const { ann, ben } = it;
      const self = await it.ask(ann, ann);
      expect(self.body).toMatchObject({ code: 'VALIDATION', status: 400 });
      expect(self.body.message).toMatch(/^addresseeId: /);
      expect((await it.ask(ann, 'nobody-has-this-id')).body).toEqual(unknownUser);
      expect((await it.ask('no-account' as UserId, ben)).body).toEqual(unknownUser);
      await it.ask(ann, ben);
      await it.heardBy(ben);
      const again = await it.ask(ann, ben);
      expect(again.body).toMatchObject({ code: 'CONFLICT', status: 409 });
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
      expect(await it.received(ben)).toHaveLength(1);
    });

    it('are accepted: both are friends, the requester hears it, a second time is silent', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const friendship = it.friendshipOf(await it.ask(ann, ben));
      await it.heardBy(ben);
      const answer = await it.answer(ben, friendship._id, 'accept');
      expect(answer.status).toBe(200);
      const accepted = { ...friendship, status: 'accepted' };
      expect(answer.body).toEqual({ message: 'Friend request accepted', friendship: accepted });
      expect(await it.heardBy(ann, ben, cem)).toEqual({
        friendEvents: [{ to: ann, event: 'friend_request_update', payload: accepted }],
        statusChanges: [],
      });
      expect(await it.friends(ann)).toEqual([ben]);
      expect(await it.friends(ben)).toEqual([ann]);
      expect([...(await it.received(ben)), ...(await it.sent(ann))]).toEqual([]);

      const again = await it.answer(ben, friendship._id, 'accept');
      expect([again.status, again.body]).toEqual([200, answer.body]);
      expect((await it.answer(ben, friendship._id, 'reject')).status).toBe(409);
      expect((await it.ask(ann, ben)).status).toBe(409);
      expect((await it.ask(ben, ann)).status).toBe(409);
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
      expect(await it.friends(ben)).toEqual([ann]);
    });

    it('are rejected: gone, the requester hears it, and may ask again', async () => {
      await using it = await started();
      const { ann, ben } = it;
      const friendship = it.friendshipOf(await it.ask(ann, ben));
      await it.heardBy(ben);
      const answer = await it.answer(ben, friendship._id, 'reject');
      const rejected = { ...friendship, status: 'rejected' };
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ message: 'Friend request rejected', friendship: rejected });
      expect(await it.heardBy(ann, ben)).toEqual({
        friendEvents: [{ to: ann, event: 'friend_request_update', payload: rejected }],
        statusChanges: [],
      });
      expect([...(await it.received(ben)), ...(await it.sent(ann))]).toEqual([]);
      expect((await it.answer(ben, friendship._id, 'reject')).body).toEqual(noRequest);
      expect((await it.answer(ben, friendship._id, 'accept')).body).toEqual(noRequest);
      expect((await it.ask(ann, ben)).status).toBe(201);
      expect(await it.received(ben)).toHaveLength(1);
    });

    it('are answered by nobody else: absent and foreign are one answer', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const { _id } = it.friendshipOf(await it.ask(ann, ben));
      for (const action of ['accept', 'reject']) {
        for (const answer of [
          await it.answer(ann, _id, action),
          await it.answer(cem, _id, action),
          await it.answer(ben, uuidv7(), action),
        ]) {
          expect(answer.body).toEqual(noRequest);
        }
      }
      expect((await it.answer(ben, _id, 'block')).body.message).toMatch(/^action: /);
      expect(await it.received(ben)).toHaveLength(1);
    });

    it('accept what the other one has asked', async () => {
      await using it = await started();
      const { ann, ben } = it;
      const friendship = it.friendshipOf(await it.ask(ann, ben));
      await it.heardBy(ben);
      const answer = await it.ask(ben, ann);
      expect(answer.status).toBe(201);
      const accepted = { ...friendship, status: 'accepted' };
      expect(answer.body).toEqual({ message: 'Friend request accepted', friendship: accepted });
      expect(await it.heardBy(ann, ben)).toEqual({
        friendEvents: [{ to: ann, event: 'friend_request_update', payload: accepted }],
        statusChanges: [],
      });
      expect(await it.friends(ann)).toEqual([ben]);
    });

    it('are taken back by who made them only, without a word', async () => {
      await using it = await started();
      const { ann, ben } = it;
      const { _id } = it.friendshipOf(await it.ask(ann, ben));
      await it.heardBy(ben);
      expect((await it.end(ben, ann)).body).toEqual(noFriend);
      const answer = await it.end(ann, ben);
      expect([answer.status, answer.body]).toEqual([200, { message: 'Friend request taken back' }]);
      expect((await it.answer(ben, _id, 'accept')).body).toEqual(noRequest);
      expect((await it.end(ann, ben)).body).toEqual(noFriend);
      expect(await it.received(ben)).toEqual([]);
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
    });

    it('are listed newest first, in pages', async () => {
      await using it = await started();
      const { fixture, ann } = it;
      const askers = await usersOf(fixture, 'one', 'two', 'three', 'four');
      const made: Friendship[] = [];
      for (const asker of askers) {
        made.unshift(it.friendshipOf(await it.ask(asker, ann)) as Friendship);
        await nextMillisecond();
      }
      expect(await it.received(ann)).toEqual(made);
      expect(await it.received(ann, '?limit=2&offset=1')).toEqual(made.slice(1, 3));
      const sent: Friendship[] = [];
      for (const addressee of [it.ben, it.cem, it.dee]) {
        sent.unshift(it.friendshipOf(await it.ask(ann, addressee)) as Friendship);
        await nextMillisecond();
      }
      expect(await it.sent(ann)).toEqual(sent);
      expect(await it.sent(ann, '?limit=1&offset=2')).toEqual(sent.slice(2));
    });
  });

  describe('friends', () => {
    it('are listed by id, as others may see them', async () => {
      await using it = await started();
      const { ann, ben, cem, dee } = it;
      await it.befriend(ann, dee);
      await it.befriend(ben, ann);
      await it.befriend(ann, cem);
      expect(await it.friends(ann)).toEqual([ben, cem, dee].toSorted());
      expect(await it.list(ben, '')).toEqual([
        {
          _id: ann,
          displayName: `Name of ${ann}`,
          bio: 'a bio',
          avatar: null,
          createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
        },
      ]);
    });

    it('are removed by either side, once', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      for (const [who, whom] of [
        [ann, ben],
        [ben, ann],
      ] as const) {
        await it.befriend(ann, ben);
        await it.heardBy(ann, ben);
        const answer = await it.end(who, whom);
        expect([answer.status, answer.body]).toEqual([200, { message: 'Friend removed' }]);
        expect((await it.end(who, whom)).body).toEqual(noFriend);
        expect((await it.end(whom, who)).body).toEqual(noFriend);
        expect([await it.friends(ann), await it.friends(ben)]).toEqual([[], []]);
      }
      expect((await it.end(ann, cem)).body).toEqual(noFriend);
      expect((await it.end(ann, 'nobody-has-this-id' as UserId)).body).toEqual(noFriend);
      expect((await it.end(ann, ann)).body).toEqual(noFriend);
      expect(await it.heardBy(ann, ben, cem)).toEqual(nothing);
    });

    it('are bounded in number, with the requests one has made', async () => {
      await using it = await started({ settings: { FRIENDS_PER_USER_MAX: 2 } });
      const { fixture, ann, ben, cem, dee } = it;
      const [eve, fay] = (await usersOf(fixture, 'eve', 'fay')) as [UserId, UserId];
      const full = {
        message: 'At most 2 friends and requests of your own are allowed',
        code: 'CONFLICT',
        status: 409,
      };
      await it.befriend(ann, ben);
      const { _id } = it.friendshipOf(await it.ask(cem, ann));
      await it.ask(ann, dee);
      expect((await it.ask(ann, eve)).body).toEqual(full);
      expect((await it.answer(ann, _id, 'accept')).body).toEqual(full);
      expect((await it.ask(ann, cem)).body).toEqual(full);
      expect(await it.received(ann)).toHaveLength(1);

      // Others may still ask, and dee's yes takes no further place of ann's.
      expect((await it.ask(fay, ann)).status).toBe(201);
      expect((await it.ask(dee, ann)).status).toBe(201);
      await it.end(ann, ben);
      expect((await it.answer(ann, _id, 'accept')).status).toBe(200);
      expect(await it.friends(ann)).toEqual([cem, dee].toSorted());
      expect((await it.ask(ann, eve)).body).toEqual(full);
    });
  });

  describe('both sides at once, through two replicas', () => {
    async function replicas() {
      const it = await started();
      const second = await startDirectory(engines());
      const other = friendActions(second);
      const disposeAll = async () => {
        await second[Symbol.asyncDispose]();
        await it[Symbol.asyncDispose]();
      };
      return { ...it, other, [Symbol.asyncDispose]: disposeAll };
    }
    const rounds = Array.from({ length: 10 });

    it('ask: friends, with one request and one yes', async () => {
      await using it = await replicas();
      for (const _ of rounds) {
        const [ann, ben] = (await usersOf(it.fixture, 'ann', 'ben')) as [UserId, UserId];
        const answers = await Promise.all([it.ask(ann, ben), it.other.ask(ben, ann)]);
        expect(answers.map(({ status }) => status)).toEqual([201, 201]);
        const [first, second] = answers.map(it.friendshipOf);
        expect(first?._id).toBe(second?._id);
        expect(new Set([first?.status, second?.status])).toEqual(new Set(['pending', 'accepted']));
        expect([await it.friends(ann), await it.friends(ben)]).toEqual([[ben], [ann]]);
        expect([...(await it.received(ann)), ...(await it.received(ben))]).toEqual([]);
      }
    });

    it('accept and take back: friends or nothing, as the answers say', async () => {
      await using it = await replicas();
      for (const _ of rounds) {
        const [ann, ben] = (await usersOf(it.fixture, 'ann', 'ben')) as [UserId, UserId];
        const { _id } = it.friendshipOf(await it.ask(ann, ben));
        const [yes, back] = await Promise.all([
          it.answer(ben, _id, 'accept'),
          it.other.end(ann, ben),
        ]);
        // Taken back before the answer, or removed right after it.
        expect(back.status).toBe(200);
        const removed = back.body.message === 'Friend removed';
        expect(yes.status).toBe(removed ? 200 : 404);
        expect([await it.friends(ann), await it.friends(ben)]).toEqual([[], []]);
        expect(await it.received(ben)).toEqual([]);
      }
    });

    it('accept and reject on two devices: one of them is the answer', async () => {
      await using it = await replicas();
      for (const _ of rounds) {
        const [ann, ben] = (await usersOf(it.fixture, 'ann', 'ben')) as [UserId, UserId];
        const { _id } = it.friendshipOf(await it.ask(ann, ben));
        const [yes, no] = await Promise.all([
          it.answer(ben, _id, 'accept'),
          it.other.answer(ben, _id, 'reject'),
        ]);
        const accepted = yes.status === 200;
        expect([yes.status, no.status]).toEqual(accepted ? [200, 409] : [404, 200]);
        expect(await it.friends(ann)).toEqual(accepted ? [ben] : []);
        expect(await it.friends(ben)).toEqual(accepted ? [ann] : []);
      }
    });

    it('accept twice: friends, and the requester hears it once', async () => {
      await using it = await replicas();
      const { ann, ben } = it;
      const { _id } = it.friendshipOf(await it.ask(ann, ben));
      await it.heardBy(ben);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? it : it.other).answer(ben, _id, 'accept'),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const { friendEvents } = await it.heardBy(ann);
      expect(friendEvents.map(({ event }) => event)).toEqual(['friend_request_update']);
    });

    it('remove: one of them did', async () => {
      await using it = await replicas();
      for (const _ of rounds) {
        const [ann, ben] = (await usersOf(it.fixture, 'ann', 'ben')) as [UserId, UserId];
        await it.befriend(ann, ben);
        const answers = await Promise.all([it.end(ann, ben), it.other.end(ben, ann)]);
        expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404]);
        expect([await it.friends(ann), await it.friends(ben)]).toEqual([[], []]);
      }
    });
  });

  describe('the friends’ endpoints', () => {
    const endpoints = [
      ['GET', '/api/friends'],
      ['GET', '/api/friends/presence'],
      ['DELETE', '/api/friends/{userId}'],
      ['GET', '/api/friends/requests/pending'],
      ['GET', '/api/friends/requests/sent'],
      ['POST', '/api/friends/requests'],
      ['PUT', '/api/friends/requests/{id}'],
      ['GET', '/api/friends/blocks'],
      ['PUT', '/api/friends/blocks/{userId}'],
      ['DELETE', '/api/friends/blocks/{userId}'],
    ] as const;

    it('need a token, and are documented', async () => {
      await using fixture = await startDirectory(engines());
      const { paths } = (await fixture.request('GET', '/openapi.json')).body as unknown as {
        paths: Record<string, Record<string, { summary?: string; responses: object }>>;
      };
      for (const [method, path] of endpoints) {
        const url = path.replace('{userId}', 'somebody').replace('{id}', uuidv7());
        const answer = await fixture.request(method, url);
        expect([url, answer.status, answer.body.code]).toEqual([url, 401, 'AUTH_REQUIRED']);
        const documented = paths[path]?.[method.toLowerCase()];
        expect(documented?.summary, path).toEqual(expect.any(String));
        expect(Object.keys(documented?.responses ?? {}), path).toContain('401');
      }
      const listed = Object.keys(paths).filter((path) => path.startsWith('/api/friends'));
      expect(new Set(listed)).toEqual(new Set(endpoints.map(([, path]) => path)));
    });
  });
}
