import { type ChatClient, connectSocket, type Message, Session } from '@bambochat/client';
import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { createDirect, newPeople, type Person } from './person.ts';
import { request } from './rest-client.ts';
import { gatewayUrl, type Target } from './target.ts';

const texts = (messages: readonly Message[]) => messages.map(({ content }) => content);

/** The client SDK against a whole deployment; what it does by itself is tested in `libs/client`. */
export function describeSdk(target: () => Target): void {
  describe('the SDK', () => {
    const people = () => newPeople(target(), 'sdk', 2) as Promise<[Person, Person]>;

    async function open(who: Person, gateway: number): Promise<ChatClient> {
      const client = connectSocket(who.accessToken, {
        url: gatewayUrl(target(), gateway),
        restUrl: target().restUrl,
      });
      await waitFor(() => client.state.name === 'live', {
        describe: 'the client to be live',
        timeout: 20_000,
      });
      return client;
    }

    async function expectSame(person: Person, id: string, count: number, ...all: ChatClient[]) {
      const history = (await person.history(id)) as Message[];
      expect(history).toHaveLength(count);
      for (const client of all) {
        await waitFor(() => client.conversation(id).messages.at(-1)?.seq === count, {
          describe: `all ${count} messages`,
          timeout: 10_000,
        });
        expect(client.conversation(id).messages).toEqual(history);
      }
      return history;
    }

    test('two who talk over each other at different gateways have the same list', async () => {
      const [ada, ben] = await people();
      const { _id } = await createDirect(ada, ben);
      using atAda = await open(ada, 0);
      using atBen = await open(ben, 1);
      const entries = Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? atAda : atBen).conversation(_id).send(`message ${index}`),
      );
      await Promise.all(entries.map(({ confirmed }) => confirmed));
      const history = await expectSame(ada, _id, 40, atAda, atBen);
      for (const remainder of [0, 1]) {
        const own = entries.filter((_, index) => index % 2 === remainder);
        const contents = own.map(({ content }) => content);
        expect(texts(history).filter((text) => contents.includes(text))).toEqual(contents);
      }
    });

    test('who was away finds messages, marks, reactions and what is unread', async () => {
      const [ada, ben] = await people();
      const { _id } = await createDirect(ada, ben);
      using atAda = await open(ada, 0);
      {
        using before = await open(ben, 1);
        await before.conversation(_id).send('before').confirmed;
        expect(await before.conversation(_id).markRead()).toBe(0);
        await waitFor(() => atAda.conversation(_id).messages.length === 1);
      }
      const [first] = atAda.conversation(_id).messages;
      await atAda.conversation(_id).react(first?._id ?? '', 'love');
      expect(await atAda.conversation(_id).markRead()).toBe(0);
      for (const text of ['one', 'two']) {
        await atAda.conversation(_id).send(text).confirmed;
      }
      using atBen = await open(ben, 0);
      const conversation = atBen.conversation(_id);
      expect(conversation.unread).toBe(2);
      await conversation.loadOlder();
      await expectSame(ben, _id, 3, atAda, atBen);
      expect(conversation.messages[0]?.reactions).toEqual([{ userId: ada.userId, type: 'love' }]);
      expect(conversation.readMarks.get(ada.userId)?.seq).toBeGreaterThanOrEqual(1);
      expect(await conversation.markRead()).toBe(0);
      await waitFor(() => atAda.conversation(_id).readMarks.get(ben.userId)?.seq === 3);
    });

    test('a session that is ended elsewhere leaves its client refused, and others alone', async () => {
      const [ada, ben] = await people();
      const { _id } = await createDirect(ada, ben);
      const session = new Session({ url: target().restUrl });
      await session.login(ada.userId, ada.password);
      using atAda = await open(ada, 0);
      using atBen = await open(ben, 1);
      using elsewhere = connectSocket(session.token, {
        url: gatewayUrl(target(), 1),
        restUrl: target().restUrl,
      });
      await waitFor(() => elsewhere.state.name === 'live');
      // Somebody else has a copy of its token.
      const { status } = await request(target().restUrl, 'POST', '/api/auth/logout', {
        token: await session.token(),
      });
      expect(status).toBe(200);
      await waitFor(() => elsewhere.state.name === 'refused', {
        describe: 'the client to be refused',
        timeout: 10_000,
      });
      expect(elsewhere.state).toMatchObject({ error: { code: 'AUTH_INVALID' } });
      await atAda.conversation(_id).send('still here').confirmed;
      await waitFor(() => texts(atBen.conversation(_id).messages).includes('still here'));
      expect([atAda.state.name, atBen.state.name]).toEqual(['live', 'live']);
    });
  });
}
