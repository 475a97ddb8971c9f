import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { expectDense, type Message } from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import type { Target } from './target.ts';

const SENDERS = 20;
const EACH = 10;
const FIRED = 200;

export function describeOrdering(target: () => Target): void {
  describe('ordering', () => {
    test('20 concurrent senders in one group make one dense order that all agree on', async () => {
      const people = await newPeople(target(), 'crowd', SENDERS);
      const [ada, ...others] = people as [Person, ...Person[]];
      const { _id } = await createGroup(ada, others);
      const connections = await Promise.all(
        people.map((person, index) => online(target(), person, index)),
      );
      using listener = await online(target(), ada, 1);
      try {
        const sent = await Promise.all(
          connections.map((connection) =>
            Promise.all(
              Array.from({ length: EACH }, () => connection.say(_id, privateText('crowd'))),
            ),
          ),
        );
        const history = await ada.history(_id);
        expect(history).toHaveLength(SENDERS * EACH);
        expectDense(history);

        // Who only listens sees the order itself.
        await waitFor(() => listener.received(_id).length === history.length, {
          describe: 'the listener to hear everything',
        });
        expect(listener.received(_id)).toStrictEqual(history);

        for (const [index, connection] of connections.entries()) {
          const own = sent[index] ?? [];
          await waitFor(() => connection.received(_id).length === history.length - EACH, {
            describe: `sender ${index} to hear the others`,
          });
          const userId = people[index]?.userId;
          // Never visible before its predecessor: as they came, not sorted.
          expect(connection.received(_id)).toStrictEqual(
            history.filter(({ senderId }) => senderId !== userId),
          );
          expect(own.map(({ seq }) => seq)).toEqual(
            own.map(({ seq }) => seq).toSorted((one, other) => one - other),
          );
          expect(connection.confirmed().toSorted((a, b) => a.seq - b.seq)).toStrictEqual(own);
        }
        const last = people.at(-1) ?? ada;
        expect(await last.history(_id)).toStrictEqual(history);
      } finally {
        for (const connection of connections) {
          connection.close();
        }
      }
    }, 60_000);

    test.for([
      ['without callbacks', false],
      ['with callbacks', true],
    ] as const)(
      '200 messages fired without waiting from one socket keep their order, %s',
      async ([, withCallback]) => {
        const [ada, ben] = (await newPeople(target(), 'order', 2)) as [Person, Person];
        const { _id } = await createDirect(ada, ben);
        using atAda = await online(target(), ada, 0);
        using atBen = await online(target(), ben, 1);
        const contents = Array.from({ length: FIRED }, (_, index) => privateText(`shot ${index}`));
        const answers = contents.map((content) => {
          const payload = { conversationId: _id, content };
          return withCallback
            ? atAda.ask('send_message', payload)
            : void atAda.emit('send_message', payload);
        });
        await waitFor(() => atAda.confirmed().length === FIRED, { describe: 'all confirmations' });
        await waitFor(() => atBen.received().length === FIRED, { describe: 'all messages' });
        const contentsOf = (messages: readonly Message[]) => messages.map(({ content }) => content);
        expect(contentsOf(atBen.received())).toEqual(contents);
        expectDense(atBen.received());
        expect(atAda.confirmed()).toStrictEqual(atBen.received());
        expect(await ben.history(_id)).toStrictEqual(atBen.received());
        if (withCallback) {
          const stored = (await Promise.all(answers)).map((answer) => answer?.message);
          expect(stored).toStrictEqual(atBen.received());
        }
      },
    );

    test('messages to several conversations at once are numbered in each of them', async () => {
      const [ada, ben] = (await newPeople(target(), 'order', 2)) as [Person, Person];
      const groups = await Promise.all(
        Array.from({ length: 6 }, (_, index) => createGroup(ada, [ben], `group ${index}`)),
      );
      using atAda = await online(target(), ada, 0);
      await Promise.all(
        Array.from({ length: 10 }, (_, round) =>
          groups.map(({ _id }) => atAda.say(_id, privateText(`round ${round}`))),
        ).flat(),
      );
      for (const { _id } of groups) {
        const history = await ben.history(_id);
        expectDense(history);
        expect(history.map(({ content }) => content.split(' ')[1])).toEqual(
          Array.from({ length: 10 }, (_, round) => String(round)),
        );
      }
    });
  });
}
