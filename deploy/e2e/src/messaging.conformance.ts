import { waitFor } from '@bambochat/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectMessage } from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
  randomName,
} from './person.ts';
import type { Target } from './target.ts';

export function describeMessaging(target: () => Target): void {
  describe('messaging', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'msg', 2)) as [Person, Person];
      conversationId = (await createDirect(ada, ben))._id;
    });

    test('one message is the same object in the answer, the confirmation, at receivers and in history', async () => {
      using sending = await online(target(), ada, 0);
      using other = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 1);
      const clientMessageId = randomName();
      const content = privateText('one for all');
      const message = await sending.say(conversationId, content, clientMessageId);
      expectMessage(message, { senderId: ada.userId, content, clientMessageId, conversationId });
      await Promise.all([other.hears(message), atBen.hears(message)]);
      await waitFor(() => sending.confirmed().length === 1, { describe: 'the confirmation' });

      expect(sending.confirmed()).toStrictEqual([message]);
      expect(other.received(conversationId)).toStrictEqual([message]);
      expect(atBen.received(conversationId)).toStrictEqual([message]);
      const { messages } = await ben.page(conversationId, { limit: 1 });
      expect(messages).toStrictEqual([message]);

      // What comes last to each of them proves that nothing else was under way.
      const marker = await atBen.say(conversationId, privateText('marker'));
      await Promise.all([sending.hears(marker), other.hears(marker)]);
      expect(sending.received(conversationId)).toStrictEqual([marker]);
      expect(other.confirmed()).toEqual([]);
      expect(atBen.confirmed()).toEqual([marker]);
    });

    test('a message without callback and without clientMessageId is confirmed by the event', async () => {
      using sending = await online(target(), ada);
      using atBen = await online(target(), ben, 1);
      const content = privateText('plain');
      sending.emit('send_message', { conversationId, content });
      const { payload } = await sending.hearsEvent('message_sent_confirm', { content });
      const message = expectMessage(payload, { conversationId, content, senderId: ada.userId });
      await atBen.hears(message);
      expect(atBen.received()).toStrictEqual([message]);
      expect(sending.errors()).toEqual([]);
    });

    test.for([
      ['control characters and NUL', 'a\u0000b\u0001c\u001b[31m\u007f\u0085\r\n\tend'],
      ['emoji, joiners and combining marks', '👩‍👩‍👧‍👦 🇩🇪 e\u0301 नमस्ते \u{10ffff}'],
      ['right-to-left text and its marks', '\u202eשלום\u202c مرحبا \u200f'],
      [
        'text that means something elsewhere',
        '<script>alert(1)</script> {"$gt": ""} %00 $(x) \\u0000',
      ],
      ['a byte order mark and line separators', 'x\ufeff\u2028\u2029\ufffd\ufffey'],
      ['four thousand characters', 'ß'.repeat(4000)],
      ['four thousand emoji', '😀'.repeat(4000)],
      ['a single character', '.'],
    ] as [string, string][])('content is kept exactly: %s', async ([, content]) => {
      using sending = await online(target(), ada);
      using atBen = await online(target(), ben, 1);
      const message = await sending.say(conversationId, content);
      await atBen.hears(message);
      expect(atBen.received()).toStrictEqual([message]);
      const { messages } = await ben.page(conversationId, { limit: 1 });
      expect(messages).toStrictEqual([message]);
    });

    test('the length is counted after trimming', async () => {
      using sending = await online(target(), ada);
      const content = 'x'.repeat(4000);
      const { message } = await sending.ask('send_message', {
        conversationId,
        content: `  ${content}\n`,
      });
      expect(message?.content.trim()).toBe(content);
    });

    test('typing reaches the other sockets of the room and nobody else', async () => {
      const [cleo] = (await newPeople(target(), 'msg', 1)) as [Person];
      const group = await createGroup(ada, [ben, cleo]);
      using typist = await online(target(), ada, 0);
      using atAda = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 0);
      using atCleo = await online(target(), cleo, 1);
      for (const isTyping of [true, false]) {
        typist.emit('typing', { conversationId, isTyping });
        const typing = { conversationId, userId: ada.userId, isTyping };
        for (const connection of [atAda, atBen]) {
          const { payload } = await connection.hearsEvent('typing', typing);
          expect(payload).toStrictEqual(typing);
        }
      }
      const marker = await atBen.say(group._id, privateText('marker'));
      await Promise.all([typist.hears(marker), atCleo.hears(marker)]);
      expect(typist.payloads('typing')).toEqual([]);
      expect(atCleo.payloads('typing')).toEqual([]);
      // Never stored.
      const { messages } = await ada.page(conversationId, { limit: 200 });
      expect(messages.filter(({ content }) => content.includes('isTyping'))).toEqual([]);
    });

    test('clientMessageId takes 1 to 64 characters of any kind', async () => {
      using sending = await online(target(), ada);
      for (const clientMessageId of ['1', 'x'.repeat(64), '😀', '$where', '__proto__', ' ']) {
        await sending.say(conversationId, privateText('named'), clientMessageId);
      }
    });
  });
}
