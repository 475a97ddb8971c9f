import { waitFor } from '@bambochat/testing';
import type { ChatConnection } from '../src/chat-connection.ts';
import type { Answer } from '../src/contract-shapes.ts';
import { createGroup, newPeople, online, privateText } from '../src/person.ts';
import type { Fault, FaultContext } from './fault.ts';
import { backendOf, elapsed, metric, stackOf } from './fault-steps.ts';

const MINUTE = 60_000;
const NATS_LOOPS = 5;
const REDIS_DOWN = 85_000;
const REDIS_HANGS = 20_000;

/** Kills a back end, waits, and starts it again, whatever happens meanwhile. */
async function away(
  context: FaultContext,
  name: 'mongodb' | 'redis' | 'nats',
  duration: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const backend = backendOf(context, name);
  const before = context.load.confirmed;
  await backend.kill();
  const began = performance.now();
  try {
    await Promise.all([elapsed(duration), meanwhile()]);
  } finally {
    await backend.restart();
  }
  context.healed();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  context.evidence(
    `${name} was down for ${seconds} s; ${context.load.confirmed - before} messages were confirmed meanwhile`,
  );
}

/** How many sockets the gateways have told to fetch what they may have missed. */
async function resyncs(context: FaultContext): Promise<number> {
  const counts = await Promise.all(
    stackOf(context).gateways.map(({ url }) => metric(url, 'bambochat_resyncs_total')),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function awaitResync(context: FaultContext, before: number): Promise<void> {
  await waitFor(async () => (await resyncs(context)) > before, {
    describe: 'sockets to be told to fetch what they missed',
    timeout: 30_000,
    interval: 250,
  });
  context.evidence(`${(await resyncs(context)) - before} sockets were told to resync`);
}

const killNats: Fault = {
  id: 6,
  name: `kill -9 NATS, ${NATS_LOOPS} times`,
  system: 'stack',
  async run(context) {
    const nats = backendOf(context, 'nats');
    for (let round = 0; round < NATS_LOOPS; round += 1) {
      await context.load.flowing(3);
      await nats.kill();
      await nats.restart();
    }
    context.evidence(`${NATS_LOOPS} kills, each under load that had recovered`);
  },
};

const natsAway: Fault = {
  id: 7,
  name: 'NATS down for 60 s',
  system: 'stack',
  run: (context) => away(context, 'nats', MINUTE),
};

const mongoAway: Fault = {
  id: 8,
  name: 'MongoDB down for 60 s, senders without retries',
  system: 'stack',
  everySendCounts: true,
  run: (context) => away(context, 'mongodb', MINUTE),
};

const restartRedis: Fault = {
  id: 10,
  name: 'kill and restart Redis',
  system: 'stack',
  everySendCounts: true,
  async run(context) {
    const before = await resyncs(context);
    await away(context, 'redis', 1000);
    await awaitResync(context, before);
  },
};

const redisAwayWithJoins: Fault = {
  id: 11,
  name: 'Redis down for 85 s with joins going on',
  system: 'stack',
  everySendCounts: true,
  async run(context) {
    const { target } = context.system;
    const [ada, ben, cleo] = await newPeople(target, 'joins', 3);
    if (ada === undefined || ben === undefined || cleo === undefined) {
      throw new Error('unreachable: three people were asked for');
    }
    const connections: ChatConnection[] = [await online(target, ada, 0)];
    const groups: string[] = [];
    try {
      await away(context, 'redis', REDIS_DOWN, async () => {
        const until = performance.now() + REDIS_DOWN - 5000;
        while (performance.now() < until) {
          // New rooms for who is connected, a new member, and now and then a new connection.
          const { _id } = await createGroup(ada, [ben]);
          groups.push(_id);
          await ada.rest('POST', `/api/conversations/${_id}/participants`, {
            json: { participantIds: [cleo.userId] },
          });
          if (groups.length % 5 === 1) {
            connections.push(await online(target, groups.length % 2 ? ben : cleo, groups.length));
          }
          await elapsed(1000);
        }
      });
      // Every room that was joined while Redis was away hears, on every connection.
      for (const conversationId of groups) {
        const [atAda, ...others] = connections;
        await waitFor(
          async () => {
            const answer: Answer = await atAda?.socket
              .timeout(5000)
              .emitWithAck('send_message', { conversationId, content: privateText('after') });
            return waitFor(() => others.every((other) => hears(other, answer.message?._id)), {
              timeout: 2000,
            });
          },
          { describe: 'a room joined meanwhile to hear', timeout: 60_000 },
        );
      }
      context.evidence(
        `${groups.length} rooms and ${connections.length - 1} connections were made meanwhile, and hear`,
      );
    } finally {
      for (const connection of connections) {
        connection.close();
      }
    }
  },
};

function hears({ heard }: ChatConnection, messageId: string | undefined): boolean {
  return heard.some(
    ({ name, payload }) =>
      name === 'receive_message' && (payload as { _id: string })._id === messageId,
  );
}

const redisHangs: Fault = {
  id: 12,
  name: 'SIGSTOP Redis for 20 s',
  system: 'stack',
  everySendCounts: true,
  async run(context) {
    const redis = backendOf(context, 'redis');
    const before = await resyncs(context);
    const confirmedBefore = context.load.confirmed;
    await redis.pause();
    try {
      await elapsed(REDIS_HANGS);
    } finally {
      await redis.resume();
    }
    context.healed();
    context.evidence(
      `${context.load.confirmed - confirmedBefore} messages were confirmed while Redis stood still`,
    );
    await awaitResync(context, before);
  },
};

export const backendFaults: readonly Fault[] = [
  killNats,
  natsAway,
  mongoAway,
  restartRedis,
  redisAwayWithJoins,
  redisHangs,
];
