import { startBackends } from '@bambochat/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createJetStreamCommandLog } from './command-log-jetstream.ts';
import type { JetStreamStorage } from './jetstream-storage-fixture.ts';
import { jetStreamStorage } from './jetstream-storage-fixture.ts';
import { connectNats } from './nats-connection.ts';

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;
let storage: JetStreamStorage;

beforeAll(async () => {
  backends = await startBackends({ names: ['nats'] });
});

afterAll(() => backends?.stop());

beforeEach(() => {
  storage = jetStreamStorage(backends.nats.url);
});

afterEach(() => storage[Symbol.asyncDispose]());

test('several replicas may start at once', async () => {
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => storage.open({ partitions: 16, maxMessages: 1000 })),
  );
  const manager = await opened[0]?.connection.client.jetstreamManager();
  const info = await manager?.streams.info(storage.names.streamName);
  expect(info?.config).toMatchObject({
    retention: 'workqueue',
    storage: 'file',
    discard: 'new',
    max_msgs: 1000,
    num_replicas: 1,
  });
  const consumers = await manager?.consumers.list(storage.names.streamName).next();
  expect(consumers).toHaveLength(16);
  for (const { config } of consumers ?? []) {
    expect(config).toMatchObject({ ack_policy: 'explicit', max_ack_pending: 1, max_deliver: -1 });
  }
});

test('another size or deadline is taken over at the next start', async () => {
  await storage.open({ maxBytes: 8 * 1024 ** 2, ackWait: 5000 });
  const { connection } = await storage.open({ maxBytes: 4 * 1024 ** 2, ackWait: 3000 });
  const manager = await connection.client.jetstreamManager();
  const info = await manager.streams.info(storage.names.streamName);
  expect(info.config.max_bytes).toBe(4 * 1024 ** 2);
  const consumer = await manager.consumers.info(storage.names.streamName, 'partition-1');
  expect(consumer.config.ack_wait).toBe(3_000_000_000);
});

test('fewer partitions than there are is an error at the start, more are added', async () => {
  await storage.open({ partitions: 4 });
  await expect(storage.open({ partitions: 3 })).rejects.toThrow(
    /consumer for partition 3, but only 3 partitions are configured/,
  );
  const { log } = await storage.open({ partitions: 6 });
  expect(log.partitions).toBe(6);
});

test('another number of partitions is refused while commands wait', async () => {
  const { log } = await storage.open({ partitions: 4 });
  await log.append(0, new Uint8Array([1]));
  await expect(storage.open({ partitions: 6 })).rejects.toThrow(
    /holds 1 commands in 4 partitions, but 6 are configured/,
  );
  await storage.open({ partitions: 4 });
});

test('a stream of another kind is an error that says so, and is left alone', async () => {
  const connection = await connectNats({ url: backends.nats.url, name: 'setup' });
  const manager = await connection.client.jetstreamManager();
  const { streamName, subject } = storage.names;
  await manager.streams.add({ name: streamName, subjects: [`${subject}.*`], max_bytes: 1024 ** 2 });
  await expect(storage.open()).rejects.toThrow(
    /exists with retention = "limits" instead of "workqueue", and the server refuses/,
  );
  expect((await manager.streams.info(streamName)).config.retention).toBe('limits');
  await connection.close();
});

test('what a server cannot have is an error at the start', async () => {
  await expect(storage.open({ replicas: 3 })).rejects.toThrow(/replicas > 1 not supported/);
});

test('a server that gives no JetStream is an error that says what to do', async () => {
  const connection = await connectNats({ url: backends.nats.url, name: 'no JetStream' });
  const withoutJetStream = Object.create(connection, {
    client: {
      value: Object.create(connection.client, {
        jetstreamManager: {
          // An API prefix that nobody answers is what a server without -js looks like.
          value: () => connection.client.jetstreamManager({ apiPrefix: 'nobody', checkAPI: false }),
        },
      }),
    },
  });
  await expect(
    createJetStreamCommandLog({
      connection: withoutJetStream,
      startTimeout: 200,
      ...storage.names,
    }),
  ).rejects.toThrow(/no JetStream within 200 ms: is it started with -js/);
  await connection.close();
});
