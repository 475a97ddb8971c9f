import { conversationSchema, type UserId } from '@bambochat/protocol';
import type { Membership } from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { describe, expect, it } from 'vitest';
import { notFound, startConversations } from './conversation-fixture.ts';
import { type Engines, nextMillisecond } from './directory-fixture.ts';

/** Who comes, who goes, and how others hear of it, over whichever engines. */
export function participantsContract(engines: () => Engines): void {
  const started = (overrides: Parameters<typeof startConversations>[1] = {}) =>
    startConversations(engines(), overrides);

  describe('participants', () => {
    it('are added by any member, and nobody twice', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol, dave } = it;
      const group = await fixture.openGroup(alice, bob);
      fixture.announced.length = 0;
      await nextMillisecond();
      const answer = await it.add(bob, group._id, carol, dave, carol, alice);
      expect(answer.status).toBe(200);
      const after = conversationSchema.parse(answer.body.conversation);
      expect(after.participants.map(({ _id, role }) => [_id, role])).toEqual([
        [alice, 'admin'],
        [bob, 'member'],
        [carol, 'member'],
        [dave, 'member'],
      ]);
      expect(after.updatedAt > group.updatedAt).toBe(true);
      await waitFor(() => it.announcedOf(group._id).length > 0);
      const [event] = it.announcedOf(group._id);
      // Also who was a member: an earlier try may have added without announcing.
      expect(new Set(event?.added)).toEqual(new Set([alice, carol, dave]));

      const again = await it.add(bob, group._id, carol, alice);
      expect(again.status).toBe(200);
      expect(again.body.conversation).toEqual(after);
    });

    it('come without unread messages', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol } = it;
      const group = await fixture.openGroup(alice, bob);
      await fixture.say(group._id, alice, 'one');
      await fixture.say(group._id, alice, 'two');
      await it.add(alice, group._id, carol);
      await fixture.say(group._id, alice, 'three');
      const unread = async (as: UserId) => (await fixture.list(as))[0]?.unread;
      expect([await unread(alice), await unread(bob), await unread(carol)]).toEqual([0, 3, 1]);
    });

    it('are removed by an admin, and leave by themselves', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol, dave } = it;
      const group = await fixture.openGroup(alice, bob, carol);
      fixture.announced.length = 0;
      const gone = { message: 'Participant not found', code: 'NOT_FOUND', status: 404 };
      expect((await it.remove(bob, group._id, carol)).body).toEqual(gone);
      expect((await it.remove(bob, group._id, dave)).body).toEqual(gone);
      expect((await it.remove(alice, group._id, dave)).body).toEqual(gone);

      expect((await it.remove(alice, group._id, carol)).body).toEqual({
        message: 'Participant removed',
      });
      expect(await fixture.list(carol)).toEqual([]);
      expect((await it.remove(bob, group._id, bob)).status).toBe(200);
      expect(await it.rolesSeenBy(alice, group._id)).toEqual([[alice, 'admin']]);
      // Dave was no member; an earlier try might have removed him without announcing.
      await waitFor(() => it.announcedOf(group._id).length === 3);
      expect(it.announcedOf(group._id).map(({ removed }) => removed)).toEqual([
        [dave],
        [carol],
        [bob],
      ]);
    });

    it('always have an admin among them: the longest-standing one follows', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol, dave } = it;
      const group = await fixture.openGroup(alice, bob, carol, dave);
      await it.remove(alice, group._id, alice);
      expect(await it.rolesSeenBy(bob, group._id)).toEqual([
        [bob, 'admin'],
        [carol, 'member'],
        [dave, 'member'],
      ]);
      await Promise.all([it.remove(bob, group._id, bob), it.remove(carol, group._id, carol)]);
      expect(await it.rolesSeenBy(dave, group._id)).toEqual([[dave, 'admin']]);
      expect((await it.remove(dave, group._id, dave)).status).toBe(200);
    });

    it('are nobody’s business outside: absent and forbidden are one answer', async () => {
      await using it = await started();
      const { fixture, alice, bob, dave } = it;
      const group = await fixture.openGroup(alice, bob);
      const absent = uuidv7();
      for (const id of [group._id, absent]) {
        for (const answer of [
          await it.add(dave, id, dave),
          await it.add(dave, id, 'nobody-has-this-id'),
          await it.remove(dave, id, dave),
          await it.remove(dave, id, bob),
        ]) {
          expect(answer.status).toBe(404);
          expect(answer.body).toEqual(notFound);
        }
      }
      expect(await it.rolesSeenBy(alice, group._id)).toHaveLength(2);
    });
  });

  describe('announcements', () => {
    it('are corrected when the store has moved on meanwhile', async () => {
      const store = engines().directoryStore;
      let removeAtOnce: (() => Promise<unknown>) | null = null;
      const directoryStore = {
        ...store,
        async addParticipants(participants: readonly Membership[]) {
          const added = await store.addParticipants(participants);
          // Another replica removes them and says so before this one has spoken.
          await removeAtOnce?.();
          return added;
        },
      };
      await using it = await started({ directoryStore });
      const { fixture, alice, bob, carol } = it;
      const group = await fixture.openGroup(alice, bob);
      fixture.announced.length = 0;
      removeAtOnce = () => store.removeParticipant(group._id, carol);
      await it.add(alice, group._id, carol);
      await waitFor(() => it.announcedOf(group._id).length === 2);
      expect(it.announcedOf(group._id)).toEqual([
        { conversationId: group._id, added: [carol], removed: [] },
        { conversationId: group._id, added: [], removed: [carol] },
      ]);
    });

    it('do not hold up the answer for ever', async () => {
      const bus = engines().bus();
      let stuck = false;
      const never = new Promise<void>(() => {});
      const hanging = Object.assign(Object.create(bus), {
        flush: () => (stuck ? never : bus.flush()),
      }) as typeof bus;
      const it = await started({ bus: hanging });
      stuck = true;
      const group = await it.fixture.openGroup(it.alice, it.bob);
      expect(group.participants).toHaveLength(2);
      stuck = false;
      await it[Symbol.asyncDispose]();
    });
  });
}
