import { type CommandConsumer, createCommandBatcher, partitionOf } from '@bambochat/messaging';
import { connectNats, createJetStreamCommandLog } from '@bambochat/messaging/nats';
import { startBackends, waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withJetStream } from './command-streams.ts';
import { changePartitions, partitionsStatus } from './partitions.ts';
import { partitions as partitionsCommand } from './partitions-command.ts';

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;
beforeAll(async () => {
  backends = await startBackends({ names: ['nats'] });
});
afterAll(() => backends?.stop());

const name = `operate-${process.pid}`;
const names = {
  streamName: `${name}-commands`,
  subject: `${name}.commands`,
  deadLetterStream: `${name}-dead`,
  deadLetterSubject: `${name}.dead`,
};
const streams = { stream: names.streamName };

/** A process with `COMMAND_PARTITIONS=partitions`. */
async function start(partitions: number) {
  const connection = await connectNats({ url: backends.nats.url, name });
  const log = await createJetStreamCommandLog({
    connection,
    partitions,
    maxBytes: 16 * 1024 ** 2,
    deadLetterMaxBytes: 1024 ** 2,
    ...names,
  });
  return { log, stop: () => connection.drain() };
}

const change = (partitions: number) =>
  withJetStream(backends.nats.url, (manager) =>
    changePartitions(manager, partitions, { streams, quiet: 0, pause: async () => {} }),
  );

interface Said {
  conversation: string;
  number: number;
}

/** What message-services were given, of each conversation. */
const handled = new Map<string, number[]>();

async function serve(
  partitions: number,
): Promise<{ consumer: CommandConsumer; stop(): Promise<void> }> {
  const { log, stop } = await start(partitions);
  const consumer = await log.consume(async ({ command, partition }) => {
    for (const { conversation, number } of JSON.parse(new TextDecoder().decode(command))) {
      expect(partition).toBe(partitionOf(conversation, partitions));
      handled.set(conversation, [...(handled.get(conversation) ?? []), number]);
    }
  });
  return {
    consumer,
    async stop() {
      await consumer.stop(5000);
      await stop();
    },
  };
}

const conversations = Array.from({ length: 40 }, () => uuidv7());

/** A gateway that sends numbers `from` … `to` into every conversation. */
async function say(partitions: number, from: number, to: number): Promise<void> {
  const { log, stop } = await start(partitions);
  const batcher = createCommandBatcher<Said>({
    log,
    encode: (said) => new TextEncoder().encode(JSON.stringify(said)),
    maxItems: 5,
    maxWaiting: 10_000,
    acceptTimeout: 10_000,
  });
  const accepted: Promise<unknown>[] = [];
  for (let number = from; number <= to; number += 1) {
    for (const conversation of conversations) {
      accepted.push(batcher.submit(conversation, { conversation, number }));
    }
  }
  await Promise.all(accepted);
  await stop();
}

test('another number of partitions loses nothing and changes no order', {
  timeout: 60_000,
}, async () => {
  let from = 1;
  let number = 4;
  for (const next of [9, 2, 3]) {
    const services = await Promise.all([serve(number), serve(number)]);
    // The gateways: they stop when all that they took is accepted.
    await Promise.all([say(number, from, from + 19)]);
    from += 20;
    // While something waits, or is served, nothing changes.
    await expect(change(next)).rejects.toThrow(/commands wait|are served/);
    await waitFor(async () => {
      const status = await withJetStream(backends.nats.url, (manager) =>
        partitionsStatus(manager, streams),
      );
      return status.waiting === 0;
    });
    await expect(change(next)).rejects.toThrow(/are served: stop all message-services/);
    await Promise.all(services.map((service) => service.stop()));
    await waitFor(() => change(next).then(() => true));
    number = next;
  }
  const last = await serve(number);
  await say(number, from, from + 9);
  await waitFor(() => [...handled.values()].flat().length >= conversations.length * (from + 9));
  await last.stop();
  const expected = Array.from({ length: from + 9 }, (_, index) => index + 1);
  for (const conversation of conversations) {
    expect(handled.get(conversation)).toEqual(expected);
  }
});

test('with commands that wait, the number stays, and processes with another are refused', async () => {
  const { partitions } = await withJetStream(backends.nats.url, (manager) =>
    partitionsStatus(manager, streams),
  );
  await say(partitions, 1, 1);
  await expect(change(partitions + 1)).rejects.toThrow(/commands wait/);
  await expect(start(partitions + 1)).rejects.toThrow(/but 4 are configured/);
});

test('a gateway that was forgotten is noticed', async () => {
  const { log, stop } = await start(3);
  await withJetStream(backends.nats.url, async (manager) => {
    await manager.streams.purge(names.streamName);
    // The command comes, and is handled at once, while it is looked whether all is quiet.
    const pause = async () => {
      await log.append(0, new Uint8Array([1]));
      await manager.streams.purge(names.streamName);
    };
    await expect(changePartitions(manager, 5, { streams, quiet: 0, pause })).rejects.toThrow(
      /still coming: stop all gateways/,
    );
    await manager.streams.delete(names.streamName);
    await manager.streams.delete(names.deadLetterStream);
  });
  await stop();
});

test('wrong usage is told', async () => {
  const run = (...args: string[]) =>
    partitionsCommand.run(args, { env: { NATS_URL: backends.nats.url }, print: () => {} });
  await expect(run('set')).rejects.toThrow(/whole number from 1 to 1024/);
  await expect(run('set', '0')).rejects.toThrow(/whole number from 1 to 1024/);
  await expect(run('shuffle')).rejects.toThrow(/no partitions shuffle/);
});
