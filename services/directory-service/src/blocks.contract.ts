import type { UserId } from '@bambochat/protocol';
import { describe, expect, it } from 'vitest';
import { usersOf } from './conversation-fixture.ts';
import { type Engines, nextMillisecond, startDirectory } from './directory-fixture.ts';
import { friendActions, nothing, startFriends, unknownUser } from './friend-fixture.ts';

const NOBODY = 'nobody-has-this-id' as UserId;
const unblockFirst = {
  message: 'You block this user: unblock them first',
  code: 'CONFLICT',
  status: 409,
};

/** Blocks, and what they keep from whom, over whichever engines. */
export function blocksContract(engines: () => Engines): void {
  const started = async (overrides: Parameters<typeof startFriends>[1] = {}) => {
    const it = await startFriends(engines(), overrides);
    const post = (as: UserId, type: string, ...participantIds: UserId[]) =>
      it.fixture.request('POST', '/api/conversations', { as, payload: { type, participantIds } });
    const add = (as: UserId, id: string, ...participantIds: UserId[]) =>
      it.fixture.request('POST', `/api/conversations/${id}/participants`, {
        as,
        payload: { participantIds },
      });
    return { ...it, post, add };
  };
  const notFoundNaming = (...userIds: UserId[]) => ({
    message: `participantIds: not found: ${userIds.join(', ')}`,
    code: 'NOT_FOUND',
    status: 404,
  });

  describe('blocks', () => {
    it('are bounded in number', async () => {
      await using it = await started({ settings: { BLOCKS_PER_USER_MAX: 2 } });
      const { ann, ben, cem, dee } = it;
      await it.block(ann, ben);
      await it.block(ann, cem);
      expect((await it.block(ann, dee)).body).toEqual({
        message: 'At most 2 users can be blocked',
        code: 'CONFLICT',
        status: 409,
      });
      // Who is blocked already takes no further place.
      expect((await it.block(ann, cem)).status).toBe(200);
      expect((await it.unblock(ann, ben)).status).toBe(200);
      expect((await it.block(ann, dee)).status).toBe(200);
    });

    it('belong to who made them, and can be repeated and lifted', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const answer = await it.block(ann, ben);
      const block = it.friendshipOf(answer);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        message: 'User blocked',
        friendship: {
          _id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          requesterId: ann,
          addresseeId: ben,
          status: 'blocked',
          createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
        },
      });
      expect((await it.block(ann, ben)).body).toEqual(answer.body);
      await nextMillisecond();
      const second = it.friendshipOf(await it.block(ann, cem));
      expect(await it.blocks(ann)).toEqual([second, block]);
      expect(await it.blocks(ann, '?limit=1&offset=1')).toEqual([block]);
      expect([...(await it.blocks(ben)), ...(await it.blocks(cem))]).toEqual([]);

      const none = { message: 'Block not found', code: 'NOT_FOUND', status: 404 };
      expect((await it.unblock(ben, ann)).body).toEqual(none);
      const lifted = await it.unblock(ann, ben);
      expect([lifted.status, lifted.body]).toEqual([200, { message: 'User unblocked' }]);
      expect((await it.unblock(ann, ben)).body).toEqual(none);
      expect(await it.blocks(ann)).toEqual([second]);
      expect(await it.heardBy(ann, ben, cem)).toEqual(nothing);
      expect((await it.ask(ben, ann)).status).toBe(201);
    });

    it('need another user who exists', async () => {
      await using it = await started();
      const self = await it.block(it.ann, it.ann);
      expect(self.body).toMatchObject({ code: 'VALIDATION', status: 400 });
      expect((await it.block(it.ann, NOBODY)).body).toEqual(unknownUser);
      expect(await it.blocks(it.ann)).toEqual([]);
    });

    it('may be mutual: each lifts their own', async () => {
      await using it = await started();
      const { ann, ben } = it;
      const first = it.friendshipOf(await it.block(ann, ben));
      await nextMillisecond();
      const now = new Date().toISOString();
      const second = it.friendshipOf(await it.block(ben, ann));
      // The other's id or time would tell that there was a block, and since when.
      expect(second._id).not.toBe(first._id);
      expect(second.createdAt >= now).toBe(true);
      for (const [who, whom] of [
        [ann, ben],
        [ben, ann],
      ] as const) {
        const [block] = await it.blocks(who);
        expect(block).toMatchObject({ requesterId: who, addresseeId: whom, status: 'blocked' });
        expect((await it.ask(who, whom)).body).toEqual(unknownUser);
      }
      await it.unblock(ann, ben);
      expect(await it.blocks(ben)).toHaveLength(1);
      expect((await it.ask(ann, ben)).body).toEqual(unknownUser);
      expect((await it.ask(ben, ann)).body).toEqual(unblockFirst);
    });

    it('end a friendship: gone on both sides, presence hidden, no other word', async () => {
      await using it = await started();
      const { ann, ben } = it;
      await it.befriend(ann, ben);
      await it.putStatus(ann);
      await it.putStatus(ben);
      await it.heardBy();
      await it.block(ben, ann);
      expect([await it.friends(ann), await it.friends(ben)]).toEqual([[], []]);
      const { friendEvents, statusChanges } = await it.heardBy(ann, ben);
      expect(friendEvents).toEqual([]);
      expect(statusChanges).toHaveLength(2);
      expect(statusChanges).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: 'hide', online: false, userId: ann, to: [ben] }),
          expect.objectContaining({ kind: 'hide', online: false, userId: ben, to: [ann] }),
        ]),
      );
      await it.block(ben, ann);
      await it.unblock(ben, ann);
      expect(await it.friends(ann)).toEqual([]);
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
    });

    it('end requests of either side', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const { _id } = it.friendshipOf(await it.ask(ann, ben));
      await it.ask(ben, cem);
      await it.heardBy();
      await it.block(ben, ann);
      await it.block(ben, cem);
      expect([...(await it.received(ben)), ...(await it.sent(ann))]).toEqual([]);
      expect([...(await it.received(cem)), ...(await it.sent(ben))]).toEqual([]);
      expect((await it.answer(ben, _id, 'accept')).status).toBe(404);
      expect(await it.heardBy(ann, ben, cem)).toEqual(nothing);
    });

    it('answer a request as if there were no such user; who blocks has to unblock', async () => {
      await using it = await started();
      const { ann, ben } = it;
      await it.block(ann, ben);
      const unknown = await it.ask(ben, NOBODY);
      const blocked = await it.ask(ben, ann);
      expect([blocked.status, blocked.body]).toEqual([unknown.status, unknown.body]);
      expect((await it.ask(ann, ben)).body).toEqual(unblockFirst);
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
    });

    it('and a request at once: the block stands', async () => {
      await using it = await started();
      await using second = await startDirectory(engines());
      const other = friendActions(second);
      for (let round = 0; round < 10; round += 1) {
        const [ann, ben] = (await usersOf(it.fixture, 'ann', 'ben')) as [UserId, UserId];
        await (round % 2 === 0 ? it.ask(ben, ann) : undefined);
        const [block, request] = await Promise.all([
          it.block(ann, ben),
          round % 2 === 0 ? other.ask(ann, ben) : other.ask(ben, ann),
        ]);
        expect(block.status).toBe(200);
        expect(round % 2 === 0 ? [201, 409] : [201, 404]).toContain(request.status);
        expect(await it.blocks(ann)).toHaveLength(1);
        expect([...(await it.friends(ann)), ...(await it.friends(ben))]).toEqual([]);
        expect([...(await it.received(ann)), ...(await it.sent(ben))]).toEqual([]);
      }
    });
  });

  describe('blocks and conversations', () => {
    it('keep the blocked from opening one, as if there were no such user', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      await it.block(ann, ben);
      for (const type of ['direct_message', 'group']) {
        const unknown = await it.post(ben, type, NOBODY);
        const blocked = await it.post(ben, type, ann);
        expect(unknown.body).toEqual(notFoundNaming(NOBODY));
        expect([blocked.status, blocked.body]).toEqual([unknown.status, notFoundNaming(ann)]);
      }
      const mixed = await it.post(ben, 'group', NOBODY, cem, ann);
      expect(mixed.body).toEqual(notFoundNaming(NOBODY, ann));
      expect(await it.fixture.list(ann)).toEqual([]);
      expect(await it.fixture.list(ben)).toEqual([]);
      expect((await it.post(cem, 'direct_message', ann)).status).toBe(201);
    });

    it('keep who blocks from a direct one until they unblock; groups are open to them', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      await it.block(ann, ben);
      expect((await it.post(ann, 'direct_message', ben)).body).toEqual(unblockFirst);
      expect((await it.post(ann, 'group', ben, cem)).status).toBe(201);
      await it.unblock(ann, ben);
      expect((await it.post(ann, 'direct_message', ben)).status).toBe(201);
      await it.block(ann, ben);
      await it.block(ben, ann);
      expect((await it.post(ann, 'direct_message', ben)).body).toEqual(notFoundNaming(ben));
    });

    it('leave a direct conversation as it is, but it is not opened again', async () => {
      await using it = await started();
      const { fixture, ann, ben } = it;
      const { conversation } = await fixture.openDirect(ann, ben);
      await it.block(ann, ben);
      expect((await it.post(ben, 'direct_message', ann)).body).toEqual(notFoundNaming(ann));
      expect((await it.post(ann, 'direct_message', ben)).body).toEqual(unblockFirst);
      for (const userId of [ann, ben]) {
        expect((await fixture.list(userId)).map(({ _id }) => _id)).toEqual([conversation._id]);
      }
      await it.unblock(ann, ben);
      const again = await fixture.openDirect(ben, ann);
      expect([again.status, again.conversation._id]).toEqual([200, conversation._id]);
    });

    it('keep the blocked from adding who blocks them, and nobody else', async () => {
      await using it = await started();
      const { fixture, ann, ben, cem, dee } = it;
      await it.block(ann, ben);
      const group = await fixture.openGroup(ben, cem);
      const answer = await it.add(ben, group._id, dee, ann);
      expect(answer.body).toEqual(notFoundNaming(ann));
      expect((await it.add(ben, group._id, dee, NOBODY)).body).toEqual(notFoundNaming(NOBODY));
      expect(await fixture.list(dee)).toEqual([]);
      expect((await it.add(cem, group._id, ann)).status).toBe(200);
      // In the group already: there they see each other, and nothing is left to refuse.
      expect((await it.add(ben, group._id, ann, dee)).status).toBe(200);
      const own = await fixture.openGroup(ann, cem);
      expect((await it.add(ann, own._id, ben)).status).toBe(200);
    });
  });
}
