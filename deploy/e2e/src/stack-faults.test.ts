import { waitFor } from '@bambochat/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectDense } from './contract-shapes.ts';
import { describeLogs } from './logs.conformance.ts';
import { awaitLoad, expectNothingLost } from './nothing-lost.ts';
import { createGroup, newPeople, online, type Person, privateText } from './person.ts';
import { request } from './rest-client.ts';
import { RetryingSender } from './retrying-sender.ts';
import { type Member, type StackTarget, startStack } from './stack-target.ts';
import { useTarget } from './target.ts';

const FIRED = 40;
/** Milliseconds: longer than every deadline inside, so that each of them is met. */
const LONG = 15_000;
const RECOVERY = 90_000;

describe('stack under faults', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack({ gateways: 3, messageServices: 3 });
    return stack;
  });
  let ada: Person;
  let ben: Person;
  let cleo: Person;
  let conversationId: string;
  beforeAll(async () => {
    [ada, ben, cleo] = (await newPeople(target(), 'fault', 3)) as [Person, Person, Person];
  });

  async function group(): Promise<void> {
    conversationId = (await createGroup(ada, [ben, cleo]))._id;
  }

  function killMember(member: Member | undefined): void {
    process.kill(member?.pid ?? Number.NaN, 'SIGKILL');
  }

  /** Every message-service that runs knows that it cannot work. */
  async function outageNoticed(): Promise<void> {
    await waitFor(
      async () => {
        const answers = await Promise.all(
          stack.messageServices.map(({ url }) =>
            request(url, 'GET', '/readyz').catch(() => ({ status: 'gone' })),
          ),
        );
        return answers.every(({ status }) => status !== 200);
      },
      { describe: 'the outage to be noticed', timeout: 60_000 },
    );
  }

  /**
   * Two clients send without callbacks while MongoDB is away, and leave before it is back. All that
   * reached a gateway must be stored in the order in which each of them sent it.
   */
  async function sendWhileAway(
    begin: () => Promise<void>,
    meanwhile: () => Promise<void>,
    end: () => Promise<void>,
  ): Promise<void> {
    await group();
    const sent: [Person, string[]][] = [ada, ben].map((person) => [
      person,
      Array.from({ length: FIRED }, (_, index) => privateText(`while away ${index}`)),
    ]);
    const connections = await Promise.all(
      sent.map(([person], index) => online(target(), person, index + 1)),
    );
    for (const [index, [, contents]] of sent.entries()) {
      const first = privateText('before');
      contents.unshift(first);
      await connections[index]?.say(conversationId, first);
    }
    await begin();
    try {
      for (const [index, [, contents]] of sent.entries()) {
        for (const content of contents.slice(1)) {
          connections[index]?.emit('send_message', { conversationId, content });
        }
      }
      await Promise.all(connections.map((connection) => connection.settles()));
      for (const connection of connections) {
        expect(connection.errors()).toEqual([]);
        connection.close();
      }
      await outageNoticed();
      await meanwhile();
    } finally {
      await end();
    }
    const all = (FIRED + 1) * sent.length;
    await waitFor(async () => (await cleo.history(conversationId)).length >= all, {
      describe: `all ${all} messages`,
      timeout: RECOVERY,
      interval: 250,
    });
    const history = await cleo.history(conversationId);
    expect(history).toHaveLength(all);
    expectDense(history);
    for (const [{ userId }, contents] of sent) {
      const stored = history.filter(({ senderId }) => senderId === userId);
      expect(stored.map(({ content }) => content)).toEqual(contents);
    }
    // Life goes on.
    using atAda = await online(target(), ada, 0);
    using atBen = await online(target(), ben, 1);
    await atBen.hears(await atAda.say(conversationId, privateText('back')));
  }

  test('clients without callbacks lose nothing while MongoDB hangs for long', async () => {
    const { mongodb } = stack.backends;
    const since = performance.now();
    await sendWhileAway(
      () => mongodb.pause(),
      async () => {
        await waitFor(() => performance.now() > since + LONG, {
          describe: 'a long outage',
          timeout: 2 * LONG,
        });
      },
      () => mongodb.resume(),
    );
  }, 180_000);

  test('clients without callbacks lose nothing while MongoDB is killed, and a gateway and a message-service with it', async () => {
    const { mongodb } = stack.backends;
    await sendWhileAway(
      () => mongodb.kill(),
      async () => {
        killMember(stack.gateways[2]);
        killMember(stack.messageServices[2]);
      },
      () => mongodb.restart(),
    );
  }, 180_000);

  test('while MongoDB is away REST says UNAVAILABLE, and nothing of the inside', async () => {
    await group();
    await stack.backends.mongodb.kill();
    try {
      await outageNoticed();
      for (const path of [`/messages?conversationId=${conversationId}`, '/api/conversations']) {
        const answer = await ada.rest('GET', path);
        expect(answer).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', status: 503 } });
        expect(JSON.stringify(answer.body)).not.toMatch(/mongodb|ECONN|127\.0\.0\.1|\bat /i);
      }
    } finally {
      await stack.backends.mongodb.restart();
    }
    await waitFor(async () => (await ada.rest('GET', '/api/conversations')).status === 200, {
      describe: 'REST to be back',
      timeout: RECOVERY,
      interval: 250,
    });
  }, 120_000);

  /** Load on two gateways while something breaks; everything must be there exactly once. */
  async function breakUnderLoad(
    fault: (senders: readonly RetryingSender[]) => void | Promise<void>,
  ): Promise<number> {
    await group();
    const urls = target().gatewayUrls.slice(0, 2);
    const senders = [ada, ben, ada, ben].map(
      (person, index) => new RetryingSender(person, conversationId, urls, index),
    );
    using listener = await online(target(), cleo, 1);
    try {
      for (const sender of senders) {
        sender.start(5);
      }
      await awaitLoad(senders, 20);
      await fault(senders);
      await awaitLoad(senders, 20);
    } finally {
      await Promise.all(senders.map((sender) => sender.finish()));
      for (const sender of senders) {
        sender[Symbol.dispose]();
      }
    }
    const history = await expectNothingLost(cleo, conversationId, senders);
    const bySeq = new Map(history.map((message) => [message.seq, message]));
    for (const message of listener.received()) {
      // A redelivery may repeat an event, with the same _id and seq; never another message.
      expect(message).toStrictEqual(bySeq.get(message.seq));
    }
    return senders.reduce((sum, { retries }) => sum + retries, 0);
  }

  test.for(['nats', 'redis'] as const)(
    'kill -9 and restart of %s under load loses and doubles nothing',
    { timeout: 180_000 },
    async (name, { annotate }) => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      const retries = await breakUnderLoad(async () => {
        await stack.backends[name].kill();
        await stack.backends[name].restart();
      });
      await annotate(`${retries} messages were sent again`);
      if (name === 'redis') {
        // Live events go through it: who may have missed some is told.
        const { payload } = await atBen.hearsEvent('resync', {});
        expect(payload).toStrictEqual({ reason: expect.stringMatching(/\S/) });
      }
      // Who stayed connected needs to do nothing to hear live again.
      expect([...atAda.losses, ...atBen.losses]).toEqual([]);
      await waitFor(
        async () => {
          const { _id } = await atAda.say(conversationId, privateText('live again'));
          return waitFor(() => atBen.received().some((message) => message._id === _id), {
            timeout: 1000,
          });
        },
        { describe: 'live delivery across gateways', timeout: RECOVERY },
      );
    },
  );

  test('a message-service that stalls until others took over, and wakes up, does no harm', async () => {
    const { pid } = stack.messageServices[1] ?? { pid: Number.NaN };
    await breakUnderLoad(async (senders) => {
      process.kill(pid, 'SIGSTOP');
      try {
        // What it held was given to somebody else when this is confirmed.
        await awaitLoad(senders, 20);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
  }, 180_000);

  test('kill -9 of a message-service under load loses and doubles nothing', async ({
    annotate,
  }) => {
    const retries = await breakUnderLoad(() => killMember(stack.messageServices[0]));
    await annotate(`${retries} messages were sent again`);
  }, 180_000);

  test('kill -9 of a gateway under load loses and doubles nothing', async ({ annotate }) => {
    const retries = await breakUnderLoad(() => killMember(stack.gateways[0]));
    expect(retries).toBeGreaterThan(0);
    await annotate(`${retries} messages were sent again`);
  }, 180_000);

  test('clients come back through the edge when a gateway is gone', async () => {
    await group();
    const url = target().restUrl;
    const senders = [ada, ben].map((person) => new RetryingSender(person, conversationId, [url]));
    for (const sender of senders) {
      sender.start(1);
    }
    await awaitLoad(senders, 5);
    await Promise.all(senders.map((sender) => sender.finish()));
    await expectNothingLost(cleo, conversationId, senders);
    for (const sender of senders) {
      sender[Symbol.dispose]();
    }
  }, 60_000);

  describeLogs(target, /"msg":"service died"/);

  test('Ctrl-C ends every process', async () => {
    stack.program.signal('SIGINT');
    expect(await stack.program.exited).toEqual({ code: 0, signal: null });
    expect(stack.members.length).toBeGreaterThanOrEqual(3 + 3 + 2 + 1 + 1);
    for (const { pid } of stack.members) {
      expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    }
  }, 60_000);
});
