import { beforeAll, describe, expect, test } from 'vitest';
import { expectFailure, expectRestError } from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import type { Target } from './target.ts';

/** Well-formed, and nobody's. */
const absent = '01890a5d-ac96-774b-bcce-b302099a8057';

export function describeOnlyMembers(target: () => Target): void {
  describe('only members', () => {
    let ada: Person;
    let ben: Person;
    let mallory: Person;
    let direct: string;
    let group: string;
    /** Ada, Ben and Mallory: where markers are sent that all of them hear. */
    let common: string;
    beforeAll(async () => {
      [ada, ben, mallory] = (await newPeople(target(), 'member', 3)) as [Person, Person, Person];
      direct = (await createDirect(ada, ben))._id;
      group = (await createGroup(ada, [ben]))._id;
      common = (await createGroup(ada, [ben, mallory], 'everybody'))._id;
    });

    test('a stranger hears nothing of a conversation', async () => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using nearAda = await online(target(), mallory, 0);
      using nearBen = await online(target(), mallory, 1);
      for (const conversationId of [direct, group]) {
        // Trying does not help.
        await nearAda.ask('join_conversation', { conversationId });
        await nearBen.ask('join_conversation', { conversationId });
        atAda.emit('typing', { conversationId, isTyping: true });
        await atBen.hearsEvent('typing', { conversationId });
        await atBen.hears(await atAda.say(conversationId, privateText('between us')));
      }
      const marker = await atBen.say(common, privateText('marker'));
      for (const connection of [nearAda, nearBen]) {
        await connection.hears(marker);
        expect(connection.heardOfOthers()).toEqual([marker]);
      }
    });

    test('a stranger can neither send, join, leave nor type, and cannot tell forbidden from absent', async () => {
      using atBen = await online(target(), ben, 1);
      using stranger = await online(target(), mallory, 0);
      for (const conversationId of [direct, group]) {
        const emits = {
          send_message: { content: privateText('intruder'), clientMessageId: 'intruder' },
          join_conversation: {},
          leave_conversation: {},
        };
        for (const [event, payload] of Object.entries(emits)) {
          const forbidden = await stranger.ask(event, { ...payload, conversationId });
          const missing = await stranger.ask(event, { ...payload, conversationId: absent });
          expectFailure(forbidden, 'NOT_FOUND');
          expect(forbidden, event).toStrictEqual(missing);
        }
        for (const event of ['send_message', 'typing']) {
          const told = [];
          for (const id of [conversationId, absent]) {
            const content = privateText('intruder');
            stranger.emit(event, { conversationId: id, content, isTyping: true });
            const { payload } = await stranger.hearsEvent('chat_error', {
              event,
              conversationId: id,
            });
            told.push({ ...(payload as object), conversationId: 'the one that was sent' });
          }
          expect(told[0]).toMatchObject({ event, code: 'NOT_FOUND', retryable: false });
          expect(told[0]).toStrictEqual(told[1]);
        }
      }
      const marker = await stranger.say(common, privateText('marker'));
      await atBen.hears(marker);
      expect(atBen.heardOfOthers()).toEqual([marker]);
      for (const conversationId of [direct, group]) {
        const senders = (await ada.history(conversationId)).map(({ senderId }) => senderId);
        expect(senders).not.toContain(mallory.userId);
      }
    });

    test('a stranger reads and changes nothing over REST, and cannot tell forbidden from absent', async () => {
      using atAda = await online(target(), ada);
      const message = await atAda.say(group, privateText('secret'));
      const requests: [string, (id: string) => string, unknown?][] = [
        ['GET', (id) => `/messages?conversationId=${id}`],
        ['GET', (id) => `/messages?conversationId=${id}&after=0`],
        ['GET', (id) => `/messages?conversationId=${id}&before=${message._id}`],
        ['GET', (id) => `/messages?conversationId=${id}&after=${absent}`],
        ['GET', (id) => `/api/conversations/${id}/messages`],
        ['GET', (id) => `/api/conversations/${id}/messages?cursor=${message._id}`],
        [
          'POST',
          (id) => `/api/conversations/${id}/participants`,
          { participantIds: [mallory.userId] },
        ],
        ['DELETE', (id) => `/api/conversations/${id}/participants/${mallory.userId}`],
        ['DELETE', (id) => `/api/conversations/${id}/participants/${ada.userId}`],
      ];
      for (const conversationId of [direct, group]) {
        for (const [method, path, json] of requests) {
          const forbidden = await mallory.rest(method, path(conversationId), { json });
          const missing = await mallory.rest(method, path(absent), { json });
          expectRestError(forbidden, 404, 'NOT_FOUND');
          expect(forbidden.body, `${method} ${path(':id')}`).toStrictEqual(missing.body);
          expect(missing.status).toBe(404);
        }
      }
      const list = await mallory.rest('GET', '/api/conversations');
      expect((list.body as { _id: string }[]).map(({ _id }) => _id)).toEqual([common]);
      const members = await ada.rest('GET', '/api/conversations');
      const own = (members.body as { _id: string; participants: { _id: string }[] }[]).find(
        ({ _id }) => _id === group,
      );
      expect(own?.participants.map(({ _id }) => _id).sort()).toEqual(
        [ada.userId, ben.userId].sort(),
      );
    });

    test('reading without a token or with a bad one is refused', async () => {
      const path = `/messages?conversationId=${group}`;
      for (const route of [path, `/api/conversations/${group}/messages`, '/api/conversations']) {
        expectRestError(await ada.rest('GET', route, { token: undefined }), 401, 'AUTH_REQUIRED');
        expectRestError(await ada.rest('GET', route, { token: 'x.y.z' }), 401, 'AUTH_INVALID');
        const { refreshToken } = ada;
        expectRestError(await ada.rest('GET', route, { token: refreshToken }), 401, 'AUTH_INVALID');
      }
    });
  });
}
