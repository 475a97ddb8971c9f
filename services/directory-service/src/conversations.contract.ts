import {
  ACTIVITY_CONVERSATIONS_MAX,
  activityAnswerSchema,
  type Conversation,
  conversationSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import type { ConversationRecord, Membership } from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { describe, expect, it } from 'vitest';
import { notFound, startConversations, usersOf } from './conversation-fixture.ts';
import { type Engines, nextMillisecond } from './directory-fixture.ts';

/** Conversations, their list, and requests on the bus, over whichever engines. */
export function conversationsContract(engines: () => Engines): void {
  const started = (overrides: Parameters<typeof startConversations>[1] = {}) =>
    startConversations(engines(), overrides);

  describe('direct conversations', () => {
    it('are one for both sides, 201 and then 200', async () => {
      await using it = await started();
      const { fixture, alice, bob } = it;
      const payload = {
        type: 'direct_message',
        name: 'ignored',
        participantIds: [bob, alice, bob],
      };
      const first = await it.post(alice, payload);
      expect(first.status).toBe(201);
      expect(first.body).toMatchObject({ isExisting: false });
      const conversation = conversationSchema.parse(first.body.conversation);
      expect(conversation).toEqual({
        _id: conversation._id,
        type: 'direct_message',
        name: null,
        participants: expect.arrayContaining([
          {
            _id: alice,
            displayName: `Name of ${alice}`,
            avatar: null,
            bio: 'a bio',
            role: 'member',
          },
          { _id: bob, displayName: `Name of ${bob}`, avatar: null, bio: 'a bio', role: 'member' },
        ]),
        lastMessage: null,
        lastSeq: 0,
        unread: 0,
        createdAt: conversation.createdAt,
        updatedAt: conversation.createdAt,
      });
      await nextMillisecond();
      const second = await it.post(bob, { type: 'direct_message', participantIds: [alice] });
      expect(second.status).toBe(200);
      expect(second.body).toEqual({ conversation: first.body.conversation, isExisting: true });
      await waitFor(() => it.announcedOf(conversation._id).length > 0);
      expect(it.announcedOf(conversation._id)).toEqual([
        {
          conversationId: conversation._id,
          added: expect.arrayContaining([alice, bob]),
          removed: [],
        },
      ]);
      expect(await fixture.list(bob)).toEqual([conversation]);
    });

    it('are one when both sides open them at the same moment', async () => {
      await using it = await started();
      const { fixture, alice, bob } = it;
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? fixture.openDirect(alice, bob) : fixture.openDirect(bob, alice),
        ),
      );
      expect(new Set(answers.map(({ conversation }) => conversation._id)).size).toBe(1);
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      for (const { conversation } of answers) {
        expect(conversation.participants).toHaveLength(2);
      }
    });

    it('are finished and announced when who began them died', async () => {
      const store = engines().directoryStore;
      const begun: { record: ConversationRecord; members: Membership[] }[] = [];
      // What a crash leaves behind: the conversation, and only its first member.
      const directoryStore = {
        ...store,
        async openDirect(...[record, members]: Parameters<typeof store.openDirect>) {
          const crashed = begun[0];
          if (crashed === undefined) {
            begun.push({ record, members: [...members] });
            return store.openDirect(record, members);
          }
          const second = members.map((each) => ({ ...each, conversationId: crashed.record._id }));
          await store.addParticipants(second);
          return { conversation: crashed.record, created: false };
        },
      };
      await using it = await started({ directoryStore });
      const { fixture, alice, bob } = it;
      const { conversation } = await fixture.openDirect(alice, bob);
      await store.removeParticipant(conversation._id, bob);
      fixture.announced.length = 0;
      await fixture.openDirect(alice, bob);
      await waitFor(() => fixture.announced.length > 0);
      expect(it.announcedOf(conversation._id)).toEqual([
        { conversationId: conversation._id, added: [bob], removed: [] },
      ]);
    });

    it('need exactly one other user, who exists', async () => {
      await using it = await started();
      const { alice, bob, carol } = it;
      const type = 'direct_message';
      for (const participantIds of [[alice], [alice, alice], [bob, carol]]) {
        const answer = await it.post(alice, { type, participantIds });
        expect(answer.status).toBe(400);
        expect(answer.body.message).toMatch(/^participantIds: must name exactly one other/);
      }
      const nobody = await it.post(alice, { type, participantIds: ['nobody-has-this-id'] });
      expect(nobody.status).toBe(404);
      expect(nobody.body.message).toBe('participantIds: not found: nobody-has-this-id');
    });

    it('keep their participants', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol } = it;
      const { conversation } = await fixture.openDirect(alice, bob);
      expect((await it.add(alice, conversation._id, carol)).status).toBe(409);
      expect((await it.remove(alice, conversation._id, bob)).status).toBe(409);
      expect((await it.remove(alice, conversation._id, alice)).status).toBe(409);
      expect((await it.add(carol, conversation._id, carol)).body).toEqual(notFound);
    });
  });

  describe('groups', () => {
    it('have their creator as admin, and everybody once', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol } = it;
      const answer = await it.post(alice, {
        type: 'group',
        name: 'Pandas 🐼',
        participantIds: [bob, carol, bob, alice],
      });
      expect(answer.status).toBe(201);
      expect(answer.body).toMatchObject({ isExisting: false });
      const group = conversationSchema.parse(answer.body.conversation);
      expect(group.name).toBe('Pandas 🐼');
      expect(group.participants.map(({ _id, role }) => [_id, role])).toEqual([
        [alice, 'admin'],
        [bob, 'member'],
        [carol, 'member'],
      ]);
      await waitFor(() => it.announcedOf(group._id).length > 0);
      expect(it.announcedOf(group._id)).toEqual([
        { conversationId: group._id, added: [alice, bob, carol], removed: [] },
      ]);
      const unnamed = await it.post(alice, { type: 'group', participantIds: [bob] });
      expect(unnamed.body.conversation).toMatchObject({ name: null });
      expect(await fixture.list(it.dave)).toEqual([]);
    });

    it('are not made of unknown users', async () => {
      await using it = await started();
      const ghosts = Array.from({ length: 8 }, (_, index) => `ghost-${index}`);
      const answer = await it.post(it.alice, {
        type: 'group',
        participantIds: [it.bob, ...ghosts],
      });
      expect(answer.status).toBe(404);
      expect(answer.body.message).toBe(
        'participantIds: not found: ghost-0, ghost-1, ghost-2, ghost-3, ghost-4 and 3 more',
      );
      expect(await it.fixture.list(it.bob)).toEqual([]);
    });

    it('are announced in parts when they are large', async () => {
      await using it = await started();
      const { fixture, alice } = it;
      const others: UserId[] = [];
      for (let from = 0; from < 700; from += 50) {
        others.push(...(await usersOf(fixture, ...Array.from({ length: 50 }, () => 'many'))));
      }
      const group = await fixture.openGroup(alice, ...others);
      expect(group.participants).toHaveLength(701);
      await waitFor(() => it.announcedOf(group._id).length === 2);
      expect(it.announcedOf(group._id).map(({ added }) => added.length)).toEqual([500, 201]);
      const [listed] = await fixture.list(others[600] as UserId);
      expect(listed?.participants).toHaveLength(200);
      expect(listed?.participants.map(({ _id }) => _id)).toContain(others[600]);
    });

    it('are bounded in number per user, whoever adds them', async () => {
      await using it = await started({ settings: { CONVERSATIONS_PER_USER_MAX: 2 } });
      const { fixture, alice, bob, carol, dave } = it;
      await fixture.openGroup(alice, bob);
      const second = await fixture.openGroup(alice, bob);
      const third = await it.post(alice, { type: 'group', participantIds: [carol] });
      expect(third.body).toMatchObject({ code: 'CONFLICT', status: 409 });
      const direct = await it.post(carol, { type: 'direct_message', participantIds: [bob] });
      expect(direct.body.message).toBe(`In too many conversations: ${bob}`);
      expect((await it.add(alice, second._id, dave)).status).toBe(200);
    });
  });

  describe('the list', () => {
    it('has the latest activity first, with last message and unread', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol } = it;
      const first = (await fixture.openDirect(alice, bob)).conversation;
      const second = await fixture.openGroup(alice, bob);
      const third = (await fixture.openDirect(carol, alice)).conversation;
      const order = async () => (await fixture.list(alice)).map(({ _id }) => _id);
      expect(await order()).toEqual([third._id, second._id, first._id]);

      await nextMillisecond();
      await fixture.say(first._id, bob, 'hello');
      const last = await fixture.say(first._id, bob, 'are you there?');
      expect(await order()).toEqual([first._id, third._id, second._id]);
      const [seenByAlice] = await fixture.list(alice);
      expect(seenByAlice).toMatchObject({
        lastMessage: { content: 'are you there?', senderId: bob, createdAt: last.createdAt },
        lastSeq: 2,
        unread: 2,
      });
      const [seenByBob] = await fixture.list(bob);
      expect(seenByBob).toMatchObject({ _id: first._id, lastSeq: 2, unread: 0 });

      await nextMillisecond();
      await it.add(bob, second._id, carol);
      expect((await order())[0]).toBe(second._id);
    });

    it('comes in pages for who wants them', async () => {
      await using it = await started();
      const { fixture, alice, bob } = it;
      for (let index = 0; index < 5; index += 1) {
        await fixture.openGroup(alice, bob);
      }
      const all = (await fixture.list(alice)).map(({ _id }) => _id);
      const page = async (query: string) => {
        const answer = await fixture.request('GET', `/api/conversations?${query}`, { as: alice });
        return (answer.body as unknown as Conversation[]).map(({ _id }) => _id);
      };
      expect(all).toHaveLength(5);
      expect(await page('limit=2')).toEqual(all.slice(0, 2));
      expect(await page('limit=2&offset=4')).toEqual(all.slice(4));
      const wrong = await fixture.request('GET', '/api/conversations?limit=0', { as: alice });
      expect(wrong.body.message).toMatch(/^limit: /);
    });
  });

  describe('requests on the bus', () => {
    it('tell every conversation of a user', async () => {
      await using it = await started();
      const { fixture, alice, bob } = it;
      const group = await fixture.openGroup(alice, bob);
      const { conversation } = await fixture.openDirect(alice, bob);
      const ask = (userId: unknown) => fixture.bus.request(subjects.conversationsOf, { userId });
      const { conversationIds } = (await ask(bob)) as { conversationIds: string[] };
      expect(new Set(conversationIds)).toEqual(new Set([group._id, conversation._id]));
      await it.remove(bob, group._id, bob);
      expect(await ask(bob)).toEqual({
        conversationIds: [conversation._id],
        endedSessions: [],
      });
      expect(await ask('nobody-has-this-id')).toEqual({ conversationIds: [], endedSessions: [] });
      await expect(ask({ $gt: '' })).rejects.toMatchObject({ code: 'VALIDATION' });
    });

    it('tell the head of a conversation to its members', async () => {
      await using it = await started();
      const { fixture, alice, bob, dave } = it;
      const group = await fixture.openGroup(alice, bob);
      const ask = (userId: unknown, conversationId: unknown = group._id) =>
        fixture.bus.request(subjects.head, { conversationId, userId });
      expect(await ask(bob)).toEqual({ lastSeq: 0 });
      await fixture.say(group._id, alice, 'one');
      expect(await ask(bob)).toEqual({ lastSeq: 1 });
      const forbidden = await ask(dave).catch((error: unknown) => error);
      const absent = await ask(dave, uuidv7()).catch((error: unknown) => error);
      expect(forbidden).toMatchObject({ code: 'NOT_FOUND', message: 'Conversation not found' });
      expect(absent).toMatchObject({ code: 'NOT_FOUND', message: 'Conversation not found' });
      await expect(ask(bob, 'x')).rejects.toMatchObject({ code: 'VALIDATION' });
    });

    it('tell of many conversations at once what was said and changed in them last', async () => {
      await using it = await started();
      const { fixture, alice, bob, carol } = it;
      const before = Date.now();
      const [said, grown, silent] = [
        await fixture.openGroup(alice, bob),
        await fixture.openGroup(alice, bob),
        await fixture.openGroup(alice, bob),
      ];
      await it.add(alice, grown._id, carol);
      await fixture.say(said._id, alice, 'one');
      await fixture.say(said._id, bob, 'two');
      const ask = (conversationIds: unknown[]) =>
        fixture.bus.request(subjects.activity, { conversationIds });
      const { conversations } = activityAnswerSchema.parse(
        await ask([said._id, grown._id, silent._id, uuidv7()]),
      );
      const activityOf = (id: string) =>
        conversations.find(({ conversationId }) => conversationId === id);
      expect(activityOf(said._id)).toMatchObject({ lastSeq: 2 });
      expect(activityOf(said._id)?.messageAt).toBeGreaterThanOrEqual(before);
      expect(activityOf(grown._id)).toMatchObject({ lastSeq: 0, messageAt: 0 });
      expect(activityOf(grown._id)?.changedAt).toBeGreaterThanOrEqual(before);
      expect(conversations).toHaveLength(2);
      expect(await ask([])).toEqual({ conversations: [] });
      const tooMany = Array.from({ length: ACTIVITY_CONVERSATIONS_MAX + 1 }, () => uuidv7());
      await expect(ask(tooMany)).rejects.toMatchObject({ code: 'VALIDATION' });
    });

    it('are answered no more after the drain', async () => {
      const bus = engines().bus();
      const it = await started({ bus });
      const request = () =>
        bus.request(subjects.conversationsOf, { userId: it.alice }, { timeout: 300 });
      expect(await request()).toEqual({ conversationIds: [], endedSessions: [] });
      await it[Symbol.asyncDispose]();
      await expect(request()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
