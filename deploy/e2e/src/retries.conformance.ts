import { beforeAll, describe, expect, test } from 'vitest';
import { expectDense, type Message } from './contract-shapes.ts';
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

const NAMES = 10;

export function describeRetries(target: () => Target): void {
  describe('retries', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'retry', 2)) as [Person, Person];
      conversationId = (await createDirect(ada, ben))._id;
    });

    test('one clientMessageId on two gateways at once is stored and shown once', async () => {
      using here = await online(target(), ada, 0);
      using there = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 1);
      const already = (await ada.history(conversationId)).length;
      const messages = await Promise.all(
        Array.from({ length: NAMES }, async () => {
          const clientMessageId = randomName();
          const content = privateText('twice');
          const copies = await Promise.all(
            [here, there, here, there].map((connection) =>
              connection.say(conversationId, content, clientMessageId),
            ),
          );
          for (const copy of copies) {
            expect(copy).toStrictEqual(copies[0]);
          }
          return copies[0] as Message;
        }),
      );
      const history = await ben.history(conversationId);
      expectDense(history);
      const stored = history.slice(already);
      expect(stored).toStrictEqual(messages.toSorted((one, other) => one.seq - other.seq));
      await atBen.hears(await here.say(conversationId, privateText('marker')));
      expect(atBen.received().slice(0, -1)).toStrictEqual(stored);
    });

    test('a retry after a reconnect gives the first message, also with another text', async () => {
      const clientMessageId = randomName();
      let first: Message;
      {
        using atAda = await online(target(), ada, 0);
        first = await atAda.say(conversationId, privateText('the first'), clientMessageId);
      }
      using atBen = await online(target(), ben, 0);
      using again = await online(target(), ada, 1);
      const payload = { conversationId, content: privateText('the second'), clientMessageId };
      const answer = await again.ask('send_message', payload);
      expect(answer).toStrictEqual({ success: true, message: first });
      again.emit('send_message', payload);
      await again.hears(await atBen.say(conversationId, privateText('marker')));
      await again.say(conversationId, privateText('second marker'));
      expect(again.confirmed().slice(0, 2)).toStrictEqual([first, first]);
      await atBen.hears(again.confirmed().at(-1) ?? first);
      expect(atBen.received().map(({ _id }) => _id)).not.toContain(first._id);
      const history = await ben.history(conversationId);
      expectDense(history);
      expect(history.filter((message) => message.clientMessageId === clientMessageId)).toEqual([
        first,
      ]);
    });

    test('a clientMessageId is one per sender and conversation', async () => {
      const { _id: other } = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const clientMessageId = randomName();
      const messages = await Promise.all([
        atAda.say(conversationId, privateText('hers'), clientMessageId),
        atBen.say(conversationId, privateText('his'), clientMessageId),
        atAda.say(other, privateText('elsewhere'), clientMessageId),
      ]);
      expect(new Set(messages.map(({ _id }) => _id)).size).toBe(3);
    });
  });
}
