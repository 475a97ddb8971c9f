import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import { expectDense, expectFailure, type Message } from './contract-shapes.ts';
import { createGroup, newPeople, online, type Person, privateText, randomName } from './person.ts';
import type { Target } from './target.ts';

/** PROTOCOL.md: a removal takes effect within 1 s everywhere. */
const PROMISED = 1000;
/** For a machine that does other things too: what is asserted is promised + slack. */
const SLACK = 2000;

type Trio = [Person, Person, Person];

function participants(conversationId: string): string {
  return `/api/conversations/${conversationId}/participants`;
}

export function describeMembership(target: () => Target): void {
  describe('membership', () => {
    /** Asserts that a change is heard in time by all sockets, and notes how long it took. */
    async function hearInTime(
      connections: readonly ChatConnection[],
      event: string,
      conversationId: string,
      since: number,
      annotate: (message: string) => unknown,
    ): Promise<void> {
      const heard = await Promise.all(
        connections.map((connection) =>
          connection.hearsEvent(event, { conversationId }, PROMISED + SLACK),
        ),
      );
      const latest = Math.max(...heard.map(({ at }) => at - since));
      expect(latest).toBeLessThan(PROMISED + SLACK);
      for (const { payload } of heard) {
        expect(payload).toStrictEqual({ conversationId });
      }
      await annotate(`${event} after ${Math.round(latest)} ms`);
    }

    test('creating a group or a direct conversation brings connected users into its room', async ({
      annotate,
    }) => {
      const [ada, ben] = (await newPeople(target(), 'live', 2)) as [Person, Person];
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      for (const type of ['group', 'direct_message']) {
        const since = performance.now();
        const answer = await ada.rest('POST', '/api/conversations', {
          json: { type, participantIds: [ben.userId] },
        });
        expect(answer.status).toBe(201);
        const { _id } = (answer.body as { conversation: { _id: string } }).conversation;
        await hearInTime([atAda, atBen], 'conversation_joined', _id, since, annotate);
        await atBen.hears(await atAda.say(_id, privateText('live')));
        await atAda.hears(await atBen.say(_id, privateText('and back')));
      }
    });

    test('a user who is added hears the conversation on all sockets, without joining', async ({
      annotate,
    }) => {
      const [ada, ben, cleo] = (await newPeople(target(), 'live', 3)) as Trio;
      const { _id } = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada, 0);
      using cleoHere = await online(target(), cleo, 0);
      using cleoThere = await online(target(), cleo, 1);
      await atAda.say(_id, privateText('before'));
      const since = performance.now();
      const added = await ada.rest('POST', participants(_id), {
        json: { participantIds: [cleo.userId] },
      });
      expect(added.status).toBe(200);
      await hearInTime([cleoHere, cleoThere], 'conversation_joined', _id, since, annotate);
      const message = await atAda.say(_id, privateText('welcome'));
      await Promise.all([cleoHere.hears(message), cleoThere.hears(message)]);
      await atAda.hears(await cleoThere.say(_id, privateText('hello')));
      expect(await cleo.history(_id)).toHaveLength(3);
    });

    test.for([
      ['is removed by an admin', 'admin'],
      ['leaves', 'member'],
    ] as const)('a member that %s is out on all sockets at once', async ([, by], { annotate }) => {
      const [ada, ben, cleo] = (await newPeople(target(), 'live', 3)) as Trio;
      const { _id } = await createGroup(ada, [ben, cleo]);
      const { _id: common } = await createGroup(ada, [ben, cleo], 'everybody');
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using cleoHere = await online(target(), cleo, 0);
      using cleoThere = await online(target(), cleo, 1);
      await cleoHere.say(_id, privateText('still in'));
      const since = performance.now();
      const path = `${participants(_id)}/${cleo.userId}`;
      const removed = await (by === 'admin' ? ada : cleo).rest('DELETE', path);
      expect(removed.status).toBe(200);
      await hearInTime([cleoHere, cleoThere], 'conversation_left', _id, since, annotate);

      // Sending is decided elsewhere than hearing, but as soon.
      await waitFor(
        async () => {
          const answer = await cleoThere.ask('send_message', {
            conversationId: _id,
            content: privateText('too late'),
          });
          return !answer.success;
        },
        { timeout: PROMISED + SLACK, describe: 'the end of sending' },
      );
      const heardBefore = [cleoHere.received(_id).length, cleoThere.received(_id).length];
      const already = (await ada.history(_id)).length;
      for (const connection of [cleoHere, cleoThere]) {
        for (const event of ['send_message', 'join_conversation', 'leave_conversation']) {
          const content = privateText('too late');
          const answer = await connection.ask(event, { conversationId: _id, content });
          expectFailure(answer, 'NOT_FOUND');
        }
        connection.emit('typing', { conversationId: _id, isTyping: true });
        await connection.hearsEvent('chat_error', { event: 'typing', code: 'NOT_FOUND' });
      }
      expect((await cleo.rest('GET', `/messages?conversationId=${_id}`)).status).toBe(404);
      expect((await cleo.rest('GET', `/api/conversations/${_id}/messages`)).status).toBe(404);

      atAda.emit('typing', { conversationId: _id, isTyping: true });
      await atBen.hears(await atAda.say(_id, privateText('without her')));
      const marker = await atAda.say(common, privateText('marker'));
      await Promise.all([cleoHere.hears(marker), cleoThere.hears(marker), atBen.hears(marker)]);
      const heardAfter = [cleoHere.received(_id).length, cleoThere.received(_id).length];
      expect(heardAfter).toEqual(heardBefore);
      expect([...cleoHere.payloads('typing'), ...cleoThere.payloads('typing')]).toEqual([]);
      const typists = atBen.payloads<{ userId: string }>('typing').map(({ userId }) => userId);
      expect(typists).not.toContain(cleo.userId);
      const history = await ada.history(_id);
      expectDense(history);
      expect(history).toHaveLength(already + 1);

      // A new connection does not bring it back.
      using again = await online(target(), cleo, 0);
      const later = await atAda.say(common, privateText('later'));
      await again.hears(later);
      await atAda.say(_id, privateText('still without her'));
      await again.hears(await atAda.say(common, privateText('second marker')));
      expect(again.received(_id)).toEqual([]);
    });

    test('who was removed and added again is in again', async () => {
      const [ada, cleo] = (await newPeople(target(), 'live', 2)) as [Person, Person];
      const { _id } = await createGroup(ada, [cleo]);
      using atAda = await online(target(), ada, 0);
      using atCleo = await online(target(), cleo, 1);
      const path = `${participants(_id)}/${cleo.userId}`;
      expect((await ada.rest('DELETE', path)).status).toBe(200);
      await atCleo.hearsEvent('conversation_left', { conversationId: _id });
      const json = { participantIds: [cleo.userId] };
      expect((await ada.rest('POST', participants(_id), { json })).status).toBe(200);
      await atCleo.hearsEvent('conversation_joined', { conversationId: _id });
      await atCleo.hears(await atAda.say(_id, privateText('welcome back')));
      // A refusal may be remembered for as long as a removal may take.
      await waitFor(
        async () =>
          (
            await atCleo.ask('send_message', {
              conversationId: _id,
              content: privateText('thank you'),
            })
          ).success,
        { timeout: PROMISED + SLACK, describe: 'sending to work again' },
      );
    });

    test('a member removes nobody but itself', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'live', 3)) as Trio;
      const { _id } = await createGroup(ada, [ben, cleo]);
      for (const victim of [ada, cleo]) {
        const answer = await ben.rest('DELETE', `${participants(_id)}/${victim.userId}`);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect((await victim.rest('GET', `/messages?conversationId=${_id}`)).status).toBe(200);
      }
    });

    test('a member is removed while a burst is under way', async ({ annotate }) => {
      const [ada, ben, cleo] = (await newPeople(target(), 'live', 3)) as Trio;
      const { _id } = await createGroup(ada, [ben, cleo]);
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using atCleo = await online(target(), cleo, 1);
      const under = { way: true };
      const stored: { message: Message; sentAt: number }[] = [];

      /** Three in flight at any time, for as long as the burst lasts. */
      async function burst(connection: ChatConnection): Promise<void> {
        while (under.way) {
          const sentAt = performance.now();
          const answers = await Promise.all(
            [1, 2, 3].map(() =>
              connection.ask('send_message', {
                conversationId: _id,
                content: privateText('burst'),
                clientMessageId: randomName(),
              }),
            ),
          );
          for (const answer of answers) {
            if (answer.message !== undefined) {
              stored.push({ message: answer.message, sentAt });
            } else {
              expect(connection).toBe(atCleo);
              expectFailure(answer, 'NOT_FOUND');
            }
          }
        }
      }

      const bursts = Promise.all([atAda, atBen, atCleo].map(burst));
      await waitFor(() => atCleo.received(_id).length > 20 && atCleo.confirmed().length > 10, {
        describe: 'the burst to be under way',
      });
      expect((await ada.rest('DELETE', `${participants(_id)}/${cleo.userId}`)).status).toBe(200);
      const removedAt = performance.now();
      // The load goes on until well after the deadline, so that there is something to be heard.
      await waitFor(() => performance.now() > removedAt + PROMISED + SLACK + 500, {
        describe: 'the deadline to pass under load',
      });
      under.way = false;
      await bursts;

      const heardLast = Math.max(
        ...atCleo.heard.flatMap(({ name, at }) => (name === 'receive_message' ? [at] : [])),
      );
      expect(heardLast).toBeLessThan(removedAt + PROMISED + SLACK);
      const cleos = stored.filter(({ message }) => message.senderId === cleo.userId);
      const sentLast = Math.max(...cleos.map(({ sentAt }) => sentAt));
      expect(sentLast).toBeLessThan(removedAt + PROMISED + SLACK);
      await annotate(
        `heard until ${Math.round(heardLast - removedAt)} ms, sent until ${Math.round(sentLast - removedAt)} ms after the removal`,
      );

      const history = await ada.history(_id);
      expectDense(history);
      expect(history).toHaveLength(stored.length);
      for (const [connection, person] of [
        [atAda, ada],
        [atBen, ben],
      ] as const) {
        const expected = history.filter(({ senderId }) => senderId !== person.userId);
        await waitFor(() => connection.received(_id).length === expected.length, {
          describe: 'all that the others said',
        });
        expect(connection.received(_id)).toEqual(expected);
      }
    }, 60_000);
  });
}
