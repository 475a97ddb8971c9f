import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '@bambochat/protocol';
import { startBackends, waitFor } from '@bambochat/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCommandBatcher } from './command-batcher.ts';
import { bytes, text } from './command-log.contract.ts';
import type { CommandDelivery } from './command-log.ts';
import type { JetStreamStorage } from './jetstream-storage-fixture.ts';
import { hang, jetStreamStorage } from './jetstream-storage-fixture.ts';

/** Long against hiccups of a busy machine, short against a test's patience. */
const ackWait = 1500;

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;
let storage: JetStreamStorage;

beforeAll(async () => {
  backends = await startBackends({ names: ['nats'], own: true });
});

afterAll(() => backends?.stop());

beforeEach(() => {
  storage = jetStreamStorage(backends.nats.url);
});

afterEach(() => storage[Symbol.asyncDispose]());

test('NATS killed and restarted under load loses nothing, keeps the order, and consumers go on', async () => {
  const partitions = 4;
  const gateway = await storage.open({ partitions, ackWait });
  const workers = await Promise.all([1, 2].map(() => storage.open({ partitions, ackWait })));
  const seen = Array.from({ length: partitions }, () => new Set<number>());
  for (const { log } of workers) {
    await log.consume(async ({ partition, command }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      for (const item of JSON.parse(text(command))) seen[partition]?.add(item);
    });
  }
  const batcher = createCommandBatcher<number>({
    log: gateway.log,
    encode: (items) => bytes(JSON.stringify(items)),
    maxItems: 10,
    maxWaiting: 1_000_000,
    acceptTimeout: 60_000,
  });
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  let submitted = 0;
  const accepted = new Set<number>();
  let loading = true;
  const load = (async () => {
    const pending: Promise<unknown>[] = [];
    while (loading) {
      for (const key of keys) {
        const item = submitted;
        submitted += 1;
        pending.push(batcher.submit(key, item).then(() => accepted.add(item)));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(pending);
  })();

  for (let round = 0; round < 3; round += 1) {
    const before = accepted.size;
    await waitFor(() => accepted.size > before + 200);
    await backends.nats.kill();
    await backends.nats.restart();
  }
  const before = accepted.size;
  await waitFor(() => accepted.size > before + 200);
  loading = false;
  await load;
  expect(accepted.size).toBe(submitted);
  const total = () => seen.reduce((sum, items) => sum + items.size, 0);
  await waitFor(() => total() === submitted, { timeout: 20_000, describe: 'all handled' });
  // Sets keep the order in which items were first seen; a command may have come twice.
  for (const items of seen) expect([...items]).toEqual([...items].toSorted((a, b) => a - b));
}, 60_000);

test('an append under way fails at once when the connection breaks, and while it is broken', async () => {
  const { connection, log } = await storage.open({ appendTimeout: 3_600_000 });
  await hang(backends.nats, connection);
  const underWay = log.append(0, bytes('outcome unknown'));
  const failed = expect(underWay).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await backends.nats.kill();
  await failed;
  expect(connection.isConnected()).toBe(false);
  await expect(log.append(0, bytes('not sent'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await backends.nats.restart();
  await waitFor(() => connection.isConnected());
  await waitFor(() =>
    log.append(0, bytes('accepted')).then(
      () => true,
      () => false,
    ),
  );
  const handled: string[] = [];
  const consumer = await log.consume(async ({ command }) => void handled.push(text(command)));
  await waitFor(() => handled.includes('accepted'));
  expect(handled).not.toContain('not sent');
  await consumer.stop(1000);
});

test('a server that does not answer in time is UNAVAILABLE', async () => {
  const { connection, log } = await storage.open({ appendTimeout: 100 });
  await hang(backends.nats, connection);
  try {
    await expect(log.append(0, bytes('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    await backends.nats.resume();
  }
});

test('a handler slower than the acknowledgement deadline keeps its command', async () => {
  const first = await storage.open({ partitions: 1, ackWait });
  const second = await storage.open({ partitions: 1, ackWait });
  const deliveries: [string, boolean][] = [];
  for (const { log } of [first, second]) {
    await log.consume(async ({ command, redelivered }) => {
      deliveries.push([text(command), redelivered]);
      if (text(command) === 'slow')
        await new Promise((resolve) => setTimeout(resolve, 3 * ackWait));
    });
  }
  await first.log.append(0, bytes('slow'));
  await first.log.append(0, bytes('next'));
  await waitFor(() => deliveries.length >= 2);
  expect(deliveries).toEqual([
    ['slow', false],
    ['next', false],
  ]);
});

test('a process that vanishes loses its command to another one after the deadline', async () => {
  const first = await storage.open({ partitions: 1, ackWait });
  const started = Promise.withResolvers<CommandDelivery>();
  await first.log.consume((delivery) => {
    started.resolve(delivery);
    return new Promise(() => {});
  });
  const second = await storage.open({ partitions: 1, ackWait });
  await second.log.append(0, bytes('one'));
  await second.log.append(0, bytes('two'));
  await started.promise;
  await first.connection.close();
  const handled: [string, boolean][] = [];
  await second.log.consume(async ({ command, redelivered }) => {
    handled.push([text(command), redelivered]);
  });
  await waitFor(() => handled.length === 2);
  expect(handled).toEqual([
    ['one', true],
    ['two', false],
  ]);
});

test('a worker stopped past the deadline is replaced, and its late finish does no harm', async () => {
  const { log } = await storage.open({ partitions: 1, ackWait });
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('stalled-worker-fixture.ts', import.meta.url)),
      `--url=${backends.nats.url}`,
      `--storage=${storage.names.streamName.replace(/-commands$/, '')}`,
      `--ack-wait=${ackWait}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    await waitFor(() => lines.includes('ready'), { timeout: 20_000 });
    await log.append(0, bytes('one'));
    await waitFor(() => lines.includes('holds one'));
    child.kill('SIGSTOP');
    await log.append(0, bytes('two'));
    const handled: [string, boolean][] = [];
    await log.consume(async ({ command, redelivered }) => {
      handled.push([text(command), redelivered]);
    });
    await waitFor(() => handled.length === 2, { timeout: 15_000 });
    expect(handled).toEqual([
      ['one', true],
      ['two', false],
    ]);
    expect(lines).not.toContain('finished one');
    child.stdin.write('go on\n');
    child.kill('SIGCONT');
    await waitFor(() => lines.includes('finished one'));
    for (let index = 0; index < 20; index += 1) await log.append(0, bytes(`later ${index}`));
    await waitFor(async () => (await log.depth()) === 0, { timeout: 20_000 });
    const all = [
      ...handled.map(([command]) => command),
      ...lines.filter((line) => line.startsWith('finished ')).map((line) => line.slice(9)),
    ];
    expect(new Set(all).size).toBe(22);
    expect(all.filter((command) => command === 'one')).toHaveLength(2);
    expect(all).toHaveLength(23);
  } finally {
    child.kill('SIGKILL');
  }
}, 60_000);

test('consumers and streams that were deleted are made again, and work goes on', async () => {
  const { connection, log } = await storage.open({ partitions: 1, appendTimeout: 500 });
  const handled: string[] = [];
  await log.consume(async ({ command }) => void handled.push(text(command)));
  await log.append(0, bytes('before'));
  // Acknowledged, not only handled: else it comes again with the new consumer.
  await waitFor(async () => handled.length === 1 && (await log.depth()) === 0);
  const manager = await connection.client.jetstreamManager();

  await manager.consumers.delete(storage.names.streamName, 'partition-0');
  await log.append(0, bytes('without a consumer'));
  await waitFor(async () => handled.length === 2 && (await log.depth()) === 0, {
    timeout: 20_000,
  });

  await manager.streams.delete(storage.names.streamName);
  await waitFor(
    () =>
      log.append(0, bytes('without a stream')).then(
        () => true,
        () => false,
      ),
    { timeout: 20_000 },
  );
  await waitFor(() => handled.length >= 3, { timeout: 20_000 });
  expect(handled.slice(0, 3)).toEqual(['before', 'without a consumer', 'without a stream']);
}, 60_000);

test('a command that was delivered very often without success becomes a dead letter', async () => {
  const options = { partitions: 1, maxDeliveries: 2 };
  const { log } = await storage.open(options);
  await log.append(0, bytes('poison'));
  await log.append(0, bytes('good'));
  const handled: [string, boolean][] = [];
  for (let round = 0; round < 2; round += 1) {
    const started = Promise.withResolvers<void>();
    const consumer = await log.consume(() => {
      started.resolve();
      return new Promise(() => {});
    });
    await started.promise;
    await consumer.stop(0);
  }
  const told: string[] = [];
  await log.consume(
    async ({ command, contiguous }) => void handled.push([text(command), contiguous]),
    { onDeadLetter: ({ command }, error) => void told.push(`${text(command)}: ${error}`) },
  );
  await waitFor(() => handled.length === 1);
  expect(handled).toEqual([['good', true]]);
  expect(told).toEqual(['poison: Error: delivered 3 times and never finished']);
  const letters = await log.deadLetters(10);
  expect(letters.map(({ command }) => text(command))).toEqual(['poison']);
});

test('the same part put aside by a retry is kept once', async () => {
  const { log } = await storage.open({ partitions: 1 });
  let tries = 0;
  await log.consume(
    async ({ deadLetter }) => {
      tries += 1;
      await deadLetter(bytes('bad part'), 'reason');
      if (tries < 3) throw new AppError('UNAVAILABLE', 'later');
    },
    { backoff: 1 },
  );
  await log.append(0, bytes('whole'));
  await waitFor(async () => tries === 3 && (await log.depth()) === 0);
  expect(await log.deadLetters(10)).toHaveLength(1);
});

test('a consumer can stop while NATS is away', async () => {
  const { log, connection } = await storage.open({ partitions: 1 });
  const started = Promise.withResolvers<void>();
  const consumer = await log.consume(() => {
    started.resolve();
    return new Promise(() => {});
  });
  await log.append(0, bytes('x'));
  await started.promise;
  await backends.nats.kill();
  await waitFor(() => !connection.isConnected());
  await consumer.stop(10);
  await backends.nats.restart();
  await waitFor(() => connection.isConnected());
});
