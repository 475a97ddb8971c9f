import { beforeAll, describe, expect, test } from 'vitest';
import { type DirectoryDoors, twentyAtOnce } from './directory-doors.fixture.ts';
import type { DirectoryStore, Membership } from './directory-store.ts';
import {
  newConversationId,
  newUserId,
  sampleConversation,
  sampleMembership,
} from './sample-records.fixture.ts';

/** What every directory store must do with conversations and memberships. */
export function conversationsContract(doors: DirectoryDoors): void {
  let store: DirectoryStore;
  let other: DirectoryStore;
  beforeAll(() => {
    [store, other] = doors();
  });
  const users = (memberships: readonly Membership[]) => memberships.map(({ userId: id }) => id);
  const atOnce = <T>(call: (door: DirectoryStore, index: number) => Promise<T>) =>
    twentyAtOnce(doors(), call);

  describe('groups', () => {
    test('are created with their participants, in the order given', async () => {
      const conversation = sampleConversation({ name: 'Zürich \0 😀' });
      const conversationId = conversation._id;
      const participants = ['z', 'a', 'm'].map((prefix, index) =>
        sampleMembership({
          conversationId,
          userId: newUserId(prefix),
          role: index === 0 ? 'admin' : 'member',
          readSeq: index,
        }),
      );
      await store.createGroup(conversation, participants);
      expect(await other.conversation(conversationId)).toEqual(conversation);
      expect(await other.participantsOf(conversationId, 10)).toEqual(participants);
      expect(await store.countParticipants(conversationId)).toBe(3);
    });

    test('can be created again by a caller that does not know the outcome', async () => {
      const conversation = sampleConversation({ name: null });
      const members = [sampleMembership({ conversationId: conversation._id })];
      await store.createGroup(conversation, members);
      await other.createGroup(conversation, members);
      expect(await store.conversation(conversation._id)).toEqual(conversation);
      expect(await store.participantsOf(conversation._id, 10)).toEqual(members);
    });

    test('can be large', async () => {
      const conversation = sampleConversation();
      const participants = Array.from({ length: 2500 }, () =>
        sampleMembership({ conversationId: conversation._id }),
      );
      await store.createGroup(conversation, participants);
      expect(await store.countParticipants(conversation._id)).toBe(2500);
      const listed = await store.participantsOf(conversation._id, 10_000);
      expect(users(listed)).toEqual(users(participants));
    });

    test('are listed by id, without the unknown', async () => {
      const groups = Array.from({ length: 3 }, () => sampleConversation());
      for (const group of groups) {
        await store.createGroup(group, []);
      }
      const ids = groups.map(({ _id }) => _id);
      const listed = await store.conversations([...ids, newConversationId(), ...ids]);
      expect(listed.sort((a, b) => a._id.localeCompare(b._id))).toEqual(groups);
      expect(await store.conversations([])).toEqual([]);
      expect(await store.conversation(newConversationId())).toBeNull();
    });

    test('are touched forward, never back', async () => {
      const group = sampleConversation({ updatedAt: '2026-03-01T12:00:00.000Z' });
      await store.createGroup(group, []);
      await store.touchConversation(group._id, '2026-03-01T12:00:00.007Z');
      await store.touchConversation(group._id, '2026-03-01T11:00:00.000Z');
      await store.touchConversation(newConversationId(), '2026-03-01T11:00:00.000Z');
      const touched = { ...group, updatedAt: '2026-03-01T12:00:00.007Z' };
      expect(await store.conversation(group._id)).toEqual(touched);
    });
  });

  describe('openDirect', () => {
    const proposal = (a = newUserId(), b = newUserId()) => {
      const conversation = sampleConversation({ type: 'direct_message', name: null });
      const member = (id: typeof a) =>
        sampleMembership({ conversationId: conversation._id, userId: id });
      return { conversation, participants: [member(a), member(b)] as const, a, b };
    };

    test('creates it with both participants', async () => {
      const { conversation, participants } = proposal();
      expect(await store.openDirect(conversation, participants)).toEqual({
        conversation,
        created: true,
      });
      expect(await other.conversation(conversation._id)).toEqual(conversation);
      expect(await other.participantsOf(conversation._id, 10)).toEqual(participants);
    });

    test('finds the one that exists, from either side', async () => {
      const first = proposal();
      await store.openDirect(first.conversation, first.participants);
      for (const second of [proposal(first.a, first.b), proposal(first.b, first.a)]) {
        expect(await other.openDirect(second.conversation, second.participants)).toEqual({
          conversation: first.conversation,
          created: false,
        });
        expect(await store.conversation(second.conversation._id)).toBeNull();
        expect(await store.countParticipants(second.conversation._id)).toBe(0);
      }
      expect(await store.participantsOf(first.conversation._id, 10)).toEqual(first.participants);
    });

    test('is the same for twenty calls from both sides, and created once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [a, b] = [newUserId(), newUserId()];
        const outcomes = await atOnce((door, index) => {
          const { conversation, participants } = index % 3 ? proposal(a, b) : proposal(b, a);
          return door.openDirect(conversation, participants);
        });
        expect(new Set(outcomes.map(({ conversation }) => conversation._id)).size).toBe(1);
        expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
        const id = outcomes[0]?.conversation._id ?? newConversationId();
        expect(users(await store.participantsOf(id, 10)).sort()).toEqual([a, b].sort());
      }
    });

    test('keeps different pairs apart', async () => {
      const [a, b, c] = [newUserId(), newUserId(), newUserId()];
      const pairs = [proposal(a, b), proposal(a, c), proposal(b, c)];
      for (const { conversation, participants } of pairs) {
        expect((await store.openDirect(conversation, participants)).created).toBe(true);
      }
    });

    test('puts back a participant that is missing', async () => {
      const { conversation, participants, a } = proposal();
      await store.openDirect(conversation, participants);
      await store.removeParticipant(conversation._id, a);
      await store.openDirect(conversation, participants);
      expect(await store.participantsOf(conversation._id, 10)).toEqual(participants);
    });
  });

  describe('memberships', () => {
    test('areMembers answers each pair in the order asked', async () => {
      const member = sampleMembership();
      await store.addParticipants([member]);
      const { conversationId } = member;
      const stranger = { conversationId, userId: newUserId() };
      const elsewhere = { conversationId: newConversationId(), userId: member.userId };
      expect(await other.areMembers([member, stranger, member, elsewhere])).toEqual([
        true,
        false,
        true,
        false,
      ]);
      expect(await store.areMembers([])).toEqual([]);
    });

    test('areMembers answers 500 pairs', async () => {
      const member = sampleMembership();
      await store.addParticipants([member]);
      const strangers = Array.from({ length: 499 }, () => sampleMembership());
      expect(await store.areMembers([...strangers, member])).toEqual([
        ...strangers.map(() => false),
        true,
      ]);
    });

    test('membershipsOf lists the newest first, within the limit', async () => {
      const id = newUserId();
      const memberships = [3, 1, 2, 5, 4].map((second) =>
        sampleMembership({ userId: id, joinedAt: `2026-03-01T12:00:0${second}.000Z` }),
      );
      await store.addParticipants(memberships);
      await store.addParticipants([sampleMembership()]);
      const sorted = memberships.toSorted((a, b) => b.joinedAt.localeCompare(a.joinedAt));
      expect(await store.membershipsOf(id, 10)).toEqual(sorted);
      expect(await store.membershipsOf(id, 2)).toEqual(sorted.slice(0, 2));
      expect(await store.membershipsOf(id, 0)).toEqual([]);
      expect(await store.membershipsOf(newUserId(), 10)).toEqual([]);
    });

    test('membershipsOf puts the newer conversation first when they were joined at once', async () => {
      const id = newUserId();
      const memberships = Array.from({ length: 6 }, () => sampleMembership({ userId: id }));
      await store.addParticipants([...memberships.slice(3), ...memberships.slice(0, 3)]);
      expect(await store.membershipsOf(id, 10)).toEqual(memberships.toReversed());
    });

    test('participantsOf lists them as they came, within the limit', async () => {
      const conversationId = newConversationId();
      const at = (second: number) => ({
        conversationId,
        joinedAt: `2026-03-01T12:00:0${second}.000Z`,
      });
      const first = [newUserId('z'), newUserId('a'), newUserId('m')].map((id) =>
        sampleMembership({ ...at(1), userId: id }),
      );
      const late = sampleMembership(at(9));
      const second = [newUserId('y'), newUserId('b')].map((id) =>
        sampleMembership({ ...at(5), userId: id }),
      );
      for (const group of [[late], second, first]) {
        await store.addParticipants(group);
      }
      const expected = [...first, ...second, late];
      expect(await store.participantsOf(conversationId, 10)).toEqual(expected);
      expect(await store.participantsOf(conversationId, 4)).toEqual(expected.slice(0, 4));
      expect(await store.participantsOf(conversationId, 0)).toEqual([]);
      expect(await store.participantsOf(newConversationId(), 10)).toEqual([]);
      expect(await store.countParticipants(conversationId)).toBe(6);
      expect(await store.countParticipants(newConversationId())).toBe(0);
    });

    test('adding a member again changes nothing and is told', async () => {
      const conversationId = newConversationId();
      const admin = sampleMembership({ conversationId, role: 'admin', readSeq: 7 });
      const [b, c] = [sampleMembership({ conversationId }), sampleMembership({ conversationId })];
      expect(await store.addParticipants([admin, b])).toEqual(users([admin, b]));
      const again = { ...admin, role: 'member' as const, readSeq: 99 };
      expect(await other.addParticipants([again, c, b])).toEqual([c.userId]);
      expect(await store.addParticipants([again, c, b])).toEqual([]);
      expect(await store.membership(conversationId, admin.userId)).toEqual(admin);
      expect(await store.addParticipants([])).toEqual([]);
    });

    test('of twenty that add one member exactly one did', async () => {
      const member = sampleMembership();
      const outcomes = await atOnce((door) => door.addParticipants([member, sampleMembership()]));
      expect(outcomes.filter((added) => added.includes(member.userId))).toHaveLength(1);
      expect(outcomes.filter((added) => added.length >= 1)).toHaveLength(20);
    });

    test('end when the member is removed, once', async () => {
      const member = sampleMembership();
      const { conversationId } = member;
      const stays = sampleMembership({ conversationId });
      await store.addParticipants([member, stays]);
      const outcomes = await atOnce((door) =>
        door.removeParticipant(conversationId, member.userId),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await store.areMembers([member, stays])).toEqual([false, true]);
      expect(await store.membership(conversationId, member.userId)).toBeNull();
      expect(await store.membershipsOf(member.userId, 10)).toEqual([]);
    });

    test('can be taken up again after a removal, with the new values', async () => {
      const member = sampleMembership();
      const { conversationId } = member;
      await store.addParticipants([member]);
      await store.removeParticipant(conversationId, member.userId);
      const again = { ...member, readSeq: 12, joinedAt: '2026-04-01T00:00:00.000Z' };
      expect(await store.addParticipants([again])).toEqual([member.userId]);
      expect(await store.membership(conversationId, member.userId)).toEqual(again);
    });

    test('change their role', async () => {
      const member = sampleMembership();
      const { conversationId } = member;
      await store.addParticipants([member]);
      await store.setRole(conversationId, member.userId, 'admin');
      expect(await other.membership(conversationId, member.userId)).toEqual({
        ...member,
        role: 'admin',
      });
      const stranger = newUserId();
      await store.setRole(conversationId, stranger, 'admin');
      expect(await store.membership(conversationId, stranger)).toBeNull();
    });
  });
}
