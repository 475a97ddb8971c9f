import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackends, waitFor } from '@bambochat/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bytes, text } from './command-log.contract.ts';
import { type JetStreamStorage, jetStreamStorage } from './jetstream-storage-fixture.ts';
import type { NatsConnection } from './nats-connection.ts';
import { createPartitionConsumers } from './unblock-consumer.ts';

const ackWait = 1500;
let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;
let dataDir: string;
let storage: JetStreamStorage;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bambochat-messaging-'));
  backends = await startBackends({ names: ['nats'], own: true, dataDir });
});
afterAll(async () => {
  await backends?.stop();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => {
  storage = jetStreamStorage(backends.nats.url);
});
afterEach(() => storage[Symbol.asyncDispose]());

/**
 * What a killed server can come back with: a consumer from the moment when a command was delivered,
 * and a stream from the moment after it was acknowledged.
 */
async function openBlocked() {
  const opened = await storage.open({ partitions: 2, ackWait });
  const { connection, log } = opened;
  const { streamName, subject } = storage.names;
  const manager = await connection.client.jetstreamManager();
  const consumers = createPartitionConsumers({
    manager,
    connection,
    streamName,
    subject,
    timeout: 2000,
  });
  const file = join(dataDir, 'nats/jetstream/$G/streams', streamName, 'obs/partition-0/o.dat');
  expect(await consumers.state(0)).toBe('free');
  // Older, and of another partition: what is older than all that is stored, the server clears away.
  await log.append(1, bytes('elsewhere'));
  await log.append(0, bytes('gone'));
  const delivered = await connection.client.jetstream().pull(streamName, 'partition-0');
  expect(await consumers.state(0)).toBe('busy');
  // A graceful stop writes down what is; then the acknowledgement is all that is new.
  await restart(connection, 'SIGTERM');
  const old = await readFile(file);
  expect(await consumers.state(0)).toBe('busy');
  delivered.ack();
  await waitFor(async () => (await log.depth()) === 1);
  await restart(connection, 'SIGTERM', () => writeFile(file, old));
  await log.append(0, bytes('after'));
  expect(await consumers.state(0)).toBe('blocked');
  expect(await consumers.state(1)).toBe('free');
  return opened;
}

async function restart(
  connection: NatsConnection,
  signal: NodeJS.Signals,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  process.kill(backends.nats.pid ?? Number.NaN, signal);
  await waitFor(() => !connection.isConnected() && backends.nats.pid === null);
  await meanwhile();
  await backends.nats.restart();
  await waitFor(() =>
    connection.ping(500).then(
      () => true,
      () => false,
    ),
  );
}

test('a consumer that waits for a command that is not there any more is replaced', async () => {
  const { log } = await openBlocked();
  const other = await storage.open({ partitions: 2, ackWait });
  const handled: string[] = [];
  const done = Promise.withResolvers<void>();
  for (const worker of [log, other.log]) {
    await worker.consume(async ({ partition, command }) => {
      handled.push(`${partition} ${text(command)}`);
      if (partition === 1) {
        await done.promise;
      }
    });
  }
  await waitFor(() => handled.includes('0 after'), { timeout: 20_000 });
  await log.append(0, bytes('more'));
  await waitFor(() => handled.includes('0 more'), { timeout: 20_000 });
  done.resolve();
  await waitFor(async () => (await log.depth()) === 0);
  expect(handled.toSorted()).toEqual(['0 after', '0 more', '1 elsewhere']);
}, 60_000);

test('a consumer whose command somebody holds for long is left alone', async () => {
  const { log } = await storage.open({ partitions: 1, ackWait });
  const other = await storage.open({ partitions: 1, ackWait });
  const holding = Promise.withResolvers<void>();
  const handled: string[] = [];
  const handler = async ({ command }: { command: Uint8Array }) => {
    handled.push(text(command));
    await holding.promise;
  };
  await log.consume(handler);
  await log.append(0, bytes('held'));
  await waitFor(() => handled.length === 1);
  await other.log.consume(handler);
  await log.append(0, bytes('next'));
  const until = performance.now() + 5 * ackWait;
  await waitFor(() => performance.now() > until, { timeout: 20_000, interval: 100 });
  expect(handled).toEqual(['held']);
  holding.resolve();
  await waitFor(() => handled.length === 2);
  expect(handled).toEqual(['held', 'next']);
}, 60_000);
