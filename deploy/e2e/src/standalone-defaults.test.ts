import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { expectDense, expectFailure, expectRestError } from './contract-shapes.ts';
import { describeLogs } from './logs.conformance.ts';
import { createDirect, newPeople, online, type Person, privateText, randomName } from './person.ts';
import { request } from './rest-client.ts';
import { startStandalone } from './standalone-target.ts';
import { useTarget } from './target.ts';

/** Defaults of the contract: messages a second, and how many at once. */
const MESSAGES = { rate: 20, burst: 40 };
const TYPING = { rate: 10, burst: 20 };
const FIRED = 100;

/** How many the limit lets through at most in so many milliseconds. */
function allowance({ rate, burst }: { rate: number; burst: number }, elapsed: number): number {
  return burst + Math.ceil((rate * elapsed) / 1000) + 1;
}

describe('standalone with default limits', () => {
  const target = useTarget(() => startStandalone({}));

  test('of a burst, 40 messages are stored and each of the others is told RATE_LIMITED', async () => {
    const [ada, ben] = (await newPeople(target(), 'burst', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atAda = await online(target(), ada);
    const since = performance.now();
    const answers = await Promise.all(
      Array.from({ length: FIRED }, () =>
        atAda.ask('send_message', { conversationId: _id, content: privateText('burst') }),
      ),
    );
    const most = allowance(MESSAGES, performance.now() - since);
    expect(answers.slice(0, MESSAGES.burst).every(({ success }) => success)).toBe(true);
    const refused = answers.filter(({ success }) => !success);
    expect(refused.length).toBeGreaterThanOrEqual(FIRED - most);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expectFailure(answer, 'RATE_LIMITED');
      expect(answer.error?.retryable).toBe(true);
    }
    const history = await ben.history(_id);
    expectDense(history);
    expect(history).toStrictEqual(answers.flatMap(({ message }) => message ?? []));
    expect(atAda.losses).toEqual([]);
  });

  test('without callbacks each message is answered too, by confirmation or by chat_error', async () => {
    const [ada, ben] = (await newPeople(target(), 'burst', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atAda = await online(target(), ada);
    const names = Array.from({ length: FIRED }, () => randomName());
    for (const clientMessageId of names) {
      const content = privateText('burst');
      atAda.emit('send_message', { conversationId: _id, content, clientMessageId });
    }
    await waitFor(() => atAda.confirmed().length + atAda.errors().length === FIRED, {
      describe: 'an answer to each',
    });
    expect(atAda.confirmed().length).toBeGreaterThanOrEqual(MESSAGES.burst);
    expect(atAda.errors().length).toBeGreaterThan(0);
    for (const error of atAda.errors()) {
      expect(error).toStrictEqual({
        event: 'send_message',
        code: 'RATE_LIMITED',
        message: expect.stringMatching(/\S/),
        retryable: true,
        conversationId: _id,
        clientMessageId: expect.any(String),
      });
    }
    const answered = [...atAda.confirmed(), ...atAda.errors()].map(
      ({ clientMessageId }) => clientMessageId,
    );
    expect(answered.toSorted()).toEqual(names.toSorted());
    const history = await ben.history(_id);
    expect(history).toStrictEqual(atAda.confirmed());
  });

  test('the limit is per user: somebody else is not slowed down, and it passes', async () => {
    const [ada, ben] = (await newPeople(target(), 'burst', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atAda = await online(target(), ada);
    using alsoAda = await online(target(), ada);
    using atBen = await online(target(), ben);
    const ask = (connection: typeof atAda) =>
      connection.ask('send_message', { conversationId: _id, content: privateText('again') });
    const answers = await Promise.all(Array.from({ length: FIRED }, () => ask(atAda)));
    expect(answers.at(-1)).toMatchObject({ success: false, error: { code: 'RATE_LIMITED' } });
    expect((await ask(atBen)).success).toBe(true);
    await waitFor(async () => (await ask(alsoAda)).success, { describe: 'the limit to pass' });
  });

  test('typing over the limit is dropped, and the connection stays', async () => {
    const [ada, ben] = (await newPeople(target(), 'burst', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atAda = await online(target(), ada);
    using atBen = await online(target(), ben);
    const since = performance.now();
    for (let index = 0; index < FIRED; index += 1) {
      atAda.emit('typing', { conversationId: _id, isTyping: index % 2 === 0 });
    }
    await atBen.hears(await atAda.say(_id, privateText('marker')));
    const most = allowance(TYPING, performance.now() - since);
    expect(atBen.payloads('typing').length).toBeGreaterThan(0);
    expect(atBen.payloads('typing').length).toBeLessThanOrEqual(most);
    expect(atAda.losses).toEqual([]);
  });

  test('guessing a password ends in RATE_LIMITED, for unknown names too', async () => {
    const [ada] = (await newPeople(target(), 'guess', 1)) as [Person];
    for (const id of [ada.userId, randomName()]) {
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 30 && statuses.at(-1) !== 429; attempt += 1) {
        const answer = await request(target().restUrl, 'POST', '/api/auth/login', {
          json: { id, password: `guess ${attempt}` },
        });
        statuses.push(answer.status);
        if (answer.status === 429) {
          expectRestError(answer, 429, 'RATE_LIMITED');
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        } else {
          expectRestError(answer, 401, 'AUTH_INVALID');
        }
      }
      expect(statuses.at(-1)).toBe(429);
      expect(statuses.length).toBeGreaterThan(3);
    }
  });

  describeLogs(target);
});
