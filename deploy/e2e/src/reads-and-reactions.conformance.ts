import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import {
  type Conversation,
  expectFailure,
  type Message,
  type Reaction,
} from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import type { Target } from './target.ts';

type Trio = [Person, Person, Person];

/** Well-formed, and nobody's. */
const absent = '01890a5d-ac96-774b-bcce-b302099a8057';

async function unreadOf(person: Person, conversationId: string): Promise<number | undefined> {
  const { body } = await person.rest('GET', '/api/conversations');
  return (body as Conversation[]).find(({ _id }) => _id === conversationId)?.unread;
}

/** Asserts that it was done. */
async function markRead(at: ChatConnection, { conversationId, _id }: Message): Promise<number> {
  const answer = await at.ask('mark_read', { conversationId, messageId: _id });
  expect(answer).toStrictEqual({ success: true, unread: expect.any(Number) });
  return answer.unread ?? -1;
}

/** Asserts that it was done. */
async function react(
  at: ChatConnection,
  { _id }: Message,
  reactionType: string,
): Promise<readonly Reaction[]> {
  const answer = await at.ask('send_reaction', { messageId: _id, reactionType });
  expect(answer).toStrictEqual({ success: true, reactions: expect.any(Array) });
  return answer.reactions ?? [];
}

export function describeReadsAndReactions(target: () => Target): void {
  describe('reads and reactions', () => {
    test('a mark is answered with what is unread, and the room hears it', async () => {
      const [ada, ben] = (await newPeople(target(), 'reads', 2)) as [Person, Person];
      const { _id } = await createDirect(ada, ben);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using benElsewhere = await online(target(), ben, 0);
      const messages: Message[] = [];
      for (let index = 0; index < 4; index += 1) {
        messages.push(await atAda.say(_id, privateText('to read')));
      }
      expect(await unreadOf(ben, _id)).toBe(4);
      expect(await markRead(atBen, messages[1] as Message)).toBe(2);
      const update = {
        conversationId: _id,
        userId: ben.userId,
        messageId: messages[1]?._id,
        seq: 2,
      };
      for (const connection of [atAda, benElsewhere]) {
        const heard = await connection.hearsEvent('message_read_update', { userId: ben.userId });
        expect(heard.payload).toStrictEqual(update);
      }
      expect(await unreadOf(ben, _id)).toBe(2);
      expect(await unreadOf(ada, _id)).toBe(0);
      expect(await markRead(benElsewhere, messages[3] as Message)).toBe(0);
      expect(await unreadOf(ben, _id)).toBe(0);
    });

    test('marks never go back, also when several devices mark at once', async () => {
      const [ada, ben] = (await newPeople(target(), 'reads', 2)) as [Person, Person];
      const { _id } = await createDirect(ada, ben);
      using atAda = await online(target(), ada, 0);
      using benHere = await online(target(), ben, 0);
      using benThere = await online(target(), ben, 1);
      const messages: Message[] = [];
      for (let index = 0; index < 12; index += 1) {
        messages.push(await atAda.say(_id, privateText('to read')));
      }
      const answers = await Promise.all(
        messages
          .toReversed()
          .flatMap((message) => [markRead(benHere, message), markRead(benThere, message)]),
      );
      expect(answers.at(-1)).toBe(0);
      expect(await unreadOf(ben, _id)).toBe(0);
      expect(await markRead(benHere, messages[0] as Message)).toBe(0);
      const marker = await atAda.say(_id, privateText('marker'));
      await benHere.hears(marker);
      // What the room hears rises strictly: who is behind is told to nobody.
      const seqs = atAda.payloads<{ seq: number }>('message_read_update').map(({ seq }) => seq);
      expect(seqs.at(-1)).toBe(12);
      expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    });

    test('a reaction is put, replaced and taken back; everybody sees the same', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'react', 3)) as Trio;
      const { _id } = await createGroup(ada, [ben, cleo]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using atCleo = await online(target(), cleo, 0);
      const message = await atAda.say(_id, privateText('funny'));
      const bens = (type: string) => ({ userId: ben.userId, type });
      const cleos = { userId: cleo.userId, type: 'sad' };
      expect(await react(atBen, message, 'like')).toEqual([bens('like')]);
      expect(await react(atCleo, message, 'sad')).toEqual([bens('like'), cleos]);
      expect(await react(atBen, message, 'haha')).toEqual([cleos, bens('haha')]);
      expect(await react(atBen, message, 'haha')).toEqual([cleos]);
      await waitFor(() => atAda.payloads('reaction_update').length === 4, {
        describe: 'all updates of the reactions',
      });
      expect(atAda.payloads('reaction_update')).toStrictEqual(
        [[bens('like')], [bens('like'), cleos], [cleos, bens('haha')], [cleos]].map(
          (reactions) => ({ conversationId: _id, messageId: message._id, reactions }),
        ),
      );
      expect(await cleo.history(_id)).toStrictEqual([{ ...message, reactions: [cleos] }]);
    });

    test('without a callback the room tells what became of it, and chat_error what failed', async () => {
      const [ada, ben] = (await newPeople(target(), 'react', 2)) as [Person, Person];
      const { _id } = await createDirect(ada, ben);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const message = await atAda.say(_id, privateText('silent'));
      atBen.emit('send_reaction', { messageId: message._id, reactionType: 'love' });
      await atBen.hearsEvent('reaction_update', { messageId: message._id });
      atBen.emit('mark_read', { conversationId: _id, messageId: message._id });
      await atBen.hearsEvent('message_read_update', { messageId: message._id });
      atBen.emit('send_reaction', { messageId: absent, reactionType: 'love' });
      await atBen.hearsEvent('chat_error', { event: 'send_reaction', code: 'NOT_FOUND' });
      atBen.emit('mark_read', { conversationId: _id, messageId: absent });
      await atBen.hearsEvent('chat_error', { event: 'mark_read', code: 'NOT_FOUND' });
    });

    test('toggles fired from one socket keep their order', async () => {
      const [ada, ben] = (await newPeople(target(), 'react', 2)) as [Person, Person];
      const { _id } = await createDirect(ada, ben);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const message = await atAda.say(_id, privateText('toggle'));
      const types = ['like', 'love', 'love', 'haha', 'sad', 'sad', 'sad', 'angry'];
      const answers = await Promise.all(types.map((type) => react(atBen, message, type)));
      const expected = ['like', 'love', null, 'haha', 'sad', null, 'sad', 'angry'];
      expect(answers.map(([own]) => own?.type ?? null)).toEqual(expected);
      // Each of the two puts it (Ben instead of the other one) and takes it back, five times.
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => react(index % 2 ? atAda : atBen, message, 'haha')),
      );
      const [stored] = await ada.history(_id);
      expect(stored?.reactions).toEqual([]);
    });

    test('a stranger learns nothing of messages', async () => {
      const [ada, ben, mallory] = (await newPeople(target(), 'alien', 3)) as Trio;
      const { _id } = await createDirect(ada, ben);
      const own = await createGroup(mallory, [ada]);
      using atAda = await online(target(), ada, 0);
      using stranger = await online(target(), mallory, 1);
      const message = await atAda.say(_id, privateText('secret'));
      const ids = { conversationId: _id, messageId: message._id };
      const same = async (event: string, forbidden: object, missing: object) => {
        const answers = [await stranger.ask(event, forbidden), await stranger.ask(event, missing)];
        expectFailure(answers[0], 'NOT_FOUND');
        expect(answers[0], event).toStrictEqual(answers[1]);
      };
      await same('mark_read', ids, { conversationId: absent, messageId: message._id });
      await same('mark_read', ids, { conversationId: absent, messageId: absent });
      await same('mark_read', { ...ids, messageId: absent }, ids);
      await same(
        'send_reaction',
        { messageId: message._id, reactionType: 'like' },
        { messageId: absent, reactionType: 'like' },
      );
      // In a conversation of their own, a message of another one is as absent as any.
      const inOwn = { conversationId: own._id };
      await same(
        'mark_read',
        { ...inOwn, messageId: message._id },
        { ...inOwn, messageId: absent },
      );
      const typing = [];
      for (const conversationId of [_id, absent]) {
        stranger.emit('typing', { conversationId, isTyping: true });
        const { payload } = await stranger.hearsEvent('chat_error', {
          event: 'typing',
          conversationId,
        });
        typing.push({ ...(payload as object), conversationId: 'as sent' });
      }
      expect(typing[0]).toStrictEqual(typing[1]);
      const marker = await stranger.say(own._id, privateText('marker'));
      await atAda.hears(marker);
      expect(atAda.heardOfOthers()).not.toContainEqual(
        expect.objectContaining({ userId: mallory.userId }),
      );
      expect((await ada.history(_id))[0]).toStrictEqual(message);
    });

    test('who was removed can neither mark nor react any more', async () => {
      const [ada, ben] = (await newPeople(target(), 'alien', 2)) as [Person, Person];
      const { _id } = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const message = await atAda.say(_id, privateText('bye'));
      await markRead(atBen, message);
      await react(atBen, message, 'sad');
      await ada.rest('DELETE', `/api/conversations/${_id}/participants/${ben.userId}`);
      await atBen.hearsEvent('conversation_left', { conversationId: _id });
      const refused = async (event: string, payload: object) => {
        await waitFor(async () => !(await atBen.ask(event, payload)).success, {
          describe: `${event} to be refused`,
          timeout: 3000,
        });
        expectFailure(await atBen.ask(event, payload), 'NOT_FOUND');
      };
      await refused('mark_read', { conversationId: _id, messageId: message._id });
      await refused('send_reaction', { messageId: message._id, reactionType: 'like' });
    });

    test('wrong payloads name the field', async () => {
      const [ada] = await newPeople(target(), 'wrong', 1);
      using atAda = await online(target(), ada as Person);
      const cases: [string, unknown, string][] = [
        ['mark_read', { conversationId: absent }, 'messageId'],
        ['mark_read', { conversationId: absent, messageId: 7 }, 'messageId'],
        ['mark_read', { conversationId: { $gt: '' }, messageId: absent }, 'conversationId'],
        ['send_reaction', { messageId: absent }, 'reactionType'],
        ['send_reaction', { messageId: absent, reactionType: 'applause' }, 'reactionType'],
        ['send_reaction', { messageId: { $ne: null }, reactionType: 'like' }, 'messageId'],
        ['send_reaction', null, 'payload'],
      ];
      for (const [event, payload, field] of cases) {
        const answer = await atAda.ask(event, payload);
        expectFailure(answer, 'VALIDATION');
        expect(answer.error?.message, event).toContain(field);
      }
    });
  });
}
