import { beforeEach, describe, expect, test } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import type { Typing } from './contract-shapes.ts';
import { createGroup, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

/** Milliseconds: what one socket says of one conversation is relayed once in this time. */
const INTERVAL = 1000;
const BURST = 50;

type Trio = [Person, Person, Person];

export function describeTyping(target: () => Target): void {
  describe('typing', () => {
    let ada: Person;
    let ben: Person;
    let cleo: Person;
    let conversationId: string;
    beforeEach(async () => {
      [ada, ben, cleo] = (await newPeople(target(), 'type', 3)) as Trio;
      conversationId = (await createGroup(ada, [ben, cleo]))._id;
    });

    function type(connection: ChatConnection, isTyping: boolean, id = conversationId): void {
      connection.emit('typing', { conversationId: id, isTyping });
    }

    function heard(connection: ChatConnection, person: Person, id = conversationId): boolean[] {
      return connection
        .payloads<Typing>('typing')
        .filter((typing) => typing.userId === person.userId && typing.conversationId === id)
        .map((typing) => {
          expect(typing).toStrictEqual({
            conversationId: id,
            userId: person.userId,
            isTyping: expect.any(Boolean),
          });
          return typing.isTyping;
        });
    }

    const hears = (connection: ChatConnection, isTyping: boolean, id = conversationId) =>
      connection.hearsEvent('typing', { conversationId: id, userId: ada.userId, isTyping });

    test('reaches the other sockets, those of the typist included, and not the one that types', async () => {
      using typing = await online(target(), ada, 0);
      using alsoAda = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 0);
      using atCleo = await online(target(), cleo, 1);
      type(typing, true);
      for (const connection of [alsoAda, atBen, atCleo]) {
        await hears(connection, true);
      }
      const marker = await atBen.say(conversationId, privateText('marker'));
      await typing.hears(marker);
      expect(typing.payloads('typing')).toEqual([]);
      expect(heard(atBen, ada)).toEqual([true]);
    });

    test.for([
      ['equal', (index: number) => index < BURST - 1],
      ['alternating', (index: number) => index % 2 === 0],
    ] as const)(
      'of a burst of %s states few are relayed, and the last one is',
      async ([, state]) => {
        using typing = await online(target(), ada, 0);
        using atBen = await online(target(), ben, 1);
        using atCleo = await online(target(), cleo, 0);
        const since = performance.now();
        for (let index = 0; index < BURST; index += 1) {
          type(typing, state(index));
        }
        expect(state(BURST - 1)).toBe(false);
        await typing.settles();
        const taken = performance.now() - since;
        for (const connection of [atBen, atCleo]) {
          await hears(connection, true);
          await hears(connection, false);
        }
        // The next one comes after whatever is left of the burst.
        type(typing, true);
        for (const connection of [atBen, atCleo]) {
          await connection.hearsEvent('typing', {});
          await expect
            .poll(() => heard(connection, ada).at(-1), { timeout: 20_000, interval: 25 })
            .toBe(true);
          const states = heard(connection, ada);
          // At the beginning, once for each interval that the burst took, at its end, and the next.
          expect(states.length).toBeLessThanOrEqual(3 + Math.ceil(taken / INTERVAL));
          expect(states[0]).toBe(true);
          expect(states.slice(-2)).toEqual([false, true]);
        }
      },
    );

    test('is throttled for each conversation by itself', async () => {
      const other = (await createGroup(ada, [ben]))._id;
      using typing = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      type(typing, true);
      await hears(atBen, true);
      // The other conversation need not wait for what this one has to wait for.
      type(typing, true, other);
      type(typing, false);
      await hears(atBen, false);
      const order = atBen
        .payloads<Typing>('typing')
        .map((heardOne) => [heardOne.conversationId, heardOne.isTyping]);
      expect(order).toEqual([
        [conversationId, true],
        [other, true],
        [conversationId, false],
      ]);
    });

    /** What the typist may do, after which the others must see that nobody types any more. */
    const endings: [string, (typing: ChatConnection, conversationId: string) => Promise<void>][] = [
      [
        'sends',
        async (typing, id) => {
          await typing.say(id, privateText('what was typed'));
        },
      ],
      [
        'leaves the room',
        async (typing, id) => {
          const answer = await typing.ask('leave_conversation', { conversationId: id });
          expect(answer).toStrictEqual({ success: true });
        },
      ],
      ['disconnects', async (typing) => typing.close()],
      [
        'loses the connection',
        async (typing) => {
          typing.socket.io.engine.close();
        },
      ],
    ];

    test.for(endings)('is cleared for the others when the typist %s', async ([, end]) => {
      using typing = await online(target(), ada, 0);
      using alsoAda = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 0);
      using atCleo = await online(target(), cleo, 1);
      const others = [alsoAda, atBen, atCleo];
      type(typing, true);
      for (const connection of others) {
        await hears(connection, true);
      }
      await end(typing, conversationId);
      for (const connection of others) {
        await hears(connection, false);
      }
      const marker = await atBen.say(conversationId, privateText('marker'));
      await Promise.all([alsoAda.hears(marker), atCleo.hears(marker)]);
      for (const connection of others) {
        expect(heard(connection, ada)).toEqual([true, false]);
      }
    });

    test('is cleared for the others when the typist is removed', async () => {
      using typing = await online(target(), ben, 0);
      using atAda = await online(target(), ada, 0);
      using atCleo = await online(target(), cleo, 1);
      type(typing, true);
      for (const connection of [atAda, atCleo]) {
        await connection.hearsEvent('typing', { userId: ben.userId, isTyping: true });
      }
      const path = `/api/conversations/${conversationId}/participants/${ben.userId}`;
      expect((await ada.rest('DELETE', path)).status).toBe(200);
      for (const connection of [atAda, atCleo]) {
        await connection.hearsEvent('typing', { userId: ben.userId, isTyping: false });
        expect(heard(connection, ben)).toEqual([true, false]);
      }
      await typing.hearsEvent('conversation_left', { conversationId });
      expect(typing.payloads('typing')).toEqual([]);
    });

    test('what waited for the throttle does not come after the message', async () => {
      using typing = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      for (const isTyping of [true, false, true]) {
        type(typing, isTyping);
      }
      await hears(atBen, true);
      const message = await typing.say(conversationId, privateText('quickly'));
      await atBen.hears(message);
      await hears(atBen, false);
      // Typing anew is heard after all that could still have come.
      type(typing, true);
      await expect
        .poll(() => heard(atBen, ada).filter(Boolean).length, { timeout: 20_000, interval: 25 })
        .toBe(2);
      expect(heard(atBen, ada)).toEqual([true, false, true]);
      type(typing, false);
      await expect.poll(() => heard(atBen, ada).length, { timeout: 20_000, interval: 25 }).toBe(4);
      expect(heard(atBen, ada)).toEqual([true, false, true, false]);
    });

    test('of who did not type, nothing is said when they send, leave or go', async () => {
      using atAda = await online(target(), ada, 0);
      using alsoAda = await online(target(), ada, 1);
      using atBen = await online(target(), ben, 1);
      type(atAda, true);
      await hears(atBen, true);
      // Another device of the typist: what the first one types is still being typed.
      await alsoAda.say(conversationId, privateText('from elsewhere'));
      await alsoAda.ask('leave_conversation', { conversationId });
      alsoAda.close();
      using atCleo = await online(target(), cleo, 1);
      await atCleo.say(conversationId, privateText('not typed'));
      await atCleo.ask('leave_conversation', { conversationId });
      atCleo.close();
      await atBen.hears(await atAda.say(conversationId, privateText('typed')));
      await hears(atBen, false);
      expect(heard(atBen, ada)).toEqual([true, false]);
      expect(heard(atBen, cleo)).toEqual([]);
    });

    test('of a conversation that is not joined is refused, and heard by nobody', async () => {
      using typing = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      await typing.ask('leave_conversation', { conversationId });
      type(typing, true);
      const { payload } = await typing.hearsEvent('chat_error', { event: 'typing' });
      expect(payload).toMatchObject({ code: 'NOT_FOUND', conversationId });
      await typing.ask('join_conversation', { conversationId });
      type(typing, true);
      await hears(atBen, true);
      expect(heard(atBen, ada)).toEqual([true]);
    });
  });
}
