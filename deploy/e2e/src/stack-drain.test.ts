import { waitFor } from '@bambochat/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { ChatConnection } from './chat-connection.ts';
import { awaitLoad, expectNothingLost } from './nothing-lost.ts';
import { createGroup, newPeople, type Person } from './person.ts';
import { RetryingSender } from './retrying-sender.ts';
import { type MemberKind, type StackTarget, startStack } from './stack-target.ts';
import { useTarget } from './target.ts';

/** Messages of each sender that are confirmed before, between and after. */
const EACH = 50;

describe('stack whose services are stopped one after the other', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack({ restart: true });
    return stack;
  });
  let ada: Person;
  let ben: Person;
  beforeAll(async () => {
    [ada, ben] = (await newPeople(target(), 'drain', 2)) as [Person, Person];
  });

  /** Stops every member of a kind and waits for its successor, one after the other. */
  async function roll(kind: MemberKind & keyof StackTarget, between: () => Promise<void>) {
    for (const index of [0, 1]) {
      const member = (stack[kind] as StackTarget['gateways'])[index];
      if (member === undefined) {
        throw new Error(`There is no second one of ${kind}`);
      }
      process.kill(member.pid, 'SIGTERM');
      await stack.awaitSuccessor(kind, member);
      await between();
      const ofMember = ({ pid, diedPid }: Record<string, unknown>) =>
        pid === member.pid || diedPid === member.pid;
      const { output } = stack.program;
      expect(output.entries('service stopped').filter(ofMember)).toMatchObject([{ clean: true }]);
      expect(output.entries('service died').filter(ofMember)).toMatchObject([{ code: 0 }]);
    }
  }

  async function underLoad(during: (senders: readonly RetryingSender[]) => Promise<void>) {
    const { _id: conversationId } = await createGroup(ada, [ben]);
    const edge = target().restUrl;
    using first = new RetryingSender(ada, conversationId, [edge]);
    using second = new RetryingSender(ben, conversationId, [edge]);
    const senders = [first, second];
    for (const sender of senders) {
      sender.start(4);
    }
    await awaitLoad(senders, EACH);
    await during(senders);
    await awaitLoad(senders, EACH);
    await Promise.all(senders.map((sender) => sender.finish()));
    const history = await expectNothingLost(ada, conversationId, senders);
    expect(history.length).toBe(first.confirmed.size + second.confirmed.size);
  }

  /** Of all message-services that run now. */
  async function redeliveries(): Promise<number> {
    const counts = await Promise.all(
      stack.messageServices.map(async ({ url }) => {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        const line = /^bambochat_command_redeliveries_total (\d+)$/m.exec(metrics);
        expect(line).not.toBeNull();
        return Number(line?.[1]);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  test('gateways: stock clients come back by themselves, and nothing that was sent is lost', async () => {
    const listeners = Array.from(
      { length: 20 },
      (_, index) =>
        new ChatConnection({
          url: target().restUrl,
          token: ben.accessToken,
          reconnection: true,
          transports: index % 4 === 0 ? ['polling'] : ['websocket'],
        }),
    );
    const allConnected = async () => {
      await waitFor(() => listeners.every(({ socket }) => socket.connected), {
        describe: 'all clients to be back',
        timeout: 30_000,
      });
    };
    try {
      for (const { socket } of listeners) {
        socket.connect();
      }
      await allConnected();
      await underLoad(async (senders) => {
        await roll('gateways', async () => {
          await allConnected();
          await awaitLoad(senders, EACH);
        });
      });
      expect(listeners.flatMap(({ losses }) => losses)).not.toContain('io server disconnect');
      expect(listeners.every(({ losses }) => losses.length > 0)).toBe(true);
    } finally {
      for (const listener of listeners) {
        listener.close();
      }
    }
  }, 120_000);

  test('message-services: what is in flight is finished, and nothing is handed out again', async () => {
    await underLoad(async (senders) => {
      await roll('messageServices', async () => {
        await awaitLoad(senders, EACH);
        expect(await redeliveries()).toBe(0);
      });
    });
  }, 120_000);

  test('presence-services: they end cleanly too, and nobody who sends notices', async () => {
    await underLoad(async (senders) => {
      await roll('presenceServices', () => awaitLoad(senders, EACH));
      expect(senders.map(({ retries }) => retries)).toEqual([0, 0]);
    });
  }, 120_000);
});
