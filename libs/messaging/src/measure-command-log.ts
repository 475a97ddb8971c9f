import { parseArgs } from 'node:util';
import { createCommandBatcher } from './command-batcher.ts';
import { createJetStreamCommandLog } from './command-log-jetstream.ts';
import { connectNats } from './nats-connection.ts';

/**
 * Measures the JetStream command log and prints one JSON object: commands a second without
 * batching, the time from append to handled at a steady rate, and messages a second through the
 * batcher. Needs a NATS server with JetStream; makes streams of its own and deletes them.
 *
 *     node src/measure-command-log.ts --url nats://127.0.0.1:4222 --workers 2 --write 3
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.NATS_URL ?? 'nats://127.0.0.1:4222' },
    commands: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '2' },
    partitions: { type: 'string', default: '16' },
    /** What the handler does, in ms: 0 is nothing at all. */
    write: { type: 'string', default: '0' },
    /** Commands a second in the second part. */
    rate: { type: 'string', default: '500' },
  },
});
const commands = Number(values.commands);
const partitions = Number(values.partitions);
const write = Number(values.write);
const rate = Number(values.rate);

const streamName = `MEASURE_${process.pid}`;
const deadLetterStream = `MEASURE_DEAD_${process.pid}`;
const open = async (name: string) => {
  const connection = await connectNats({ url: values.url, name });
  const log = await createJetStreamCommandLog({
    connection,
    partitions,
    maxBytes: 256 * 1024 ** 2,
    streamName,
    subject: `measure.${process.pid}`,
    deadLetterStream,
    deadLetterSubject: `measure-dead.${process.pid}`,
  });
  return { connection, log };
};
const gateway = await open('gateway');
const workers = await Promise.all(
  Array.from({ length: Number(values.workers) }, (_, index) => open(`worker-${index}`)),
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const lastSeen = new Map<number, number>();
let handled = 0;
let disorder = 0;
let latencies: number[] = [];

const consumers = await Promise.all(
  workers.map(({ log }) =>
    log.consume(async ({ partition, command }) => {
      const { number, at } = JSON.parse(decoder.decode(command));
      if (write > 0) await new Promise((resolve) => setTimeout(resolve, write));
      if (number <= (lastSeen.get(partition) ?? -1)) disorder += 1;
      lastSeen.set(partition, number);
      latencies.push(performance.now() - at);
      handled += 1;
    }),
  ),
);

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 300_000;
  while (!(await reached())) {
    if (performance.now() > deadline) throw new Error('not everything was handled in five minutes');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let number = 0;
const append = () => {
  number += 1;
  const command = encoder.encode(JSON.stringify({ number, at: performance.now() }));
  return gateway.log.append(number % partitions, command);
};

/** As fast as it goes, with a bounded number of appends under way. */
async function saturate(): Promise<object> {
  const from = performance.now();
  const lanes = Array.from({ length: 128 }, async () => {
    while (number < commands) await append();
  });
  await Promise.all(lanes);
  const appended = performance.now() - from;
  await until(() => handled >= commands);
  const total = performance.now() - from;
  return {
    appendsPerSecond: Math.round((commands / appended) * 1000),
    commandsPerSecond: Math.round((commands / total) * 1000),
  };
}

async function steady(): Promise<object> {
  const already = handled;
  latencies = [];
  const wanted = rate * 5;
  const from = performance.now();
  const appends: Promise<void>[] = [];
  while (appends.length < wanted) {
    const due = Math.min(wanted, Math.floor(((performance.now() - from) / 1000) * rate));
    while (appends.length < due) appends.push(append());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(appends);
  await until(() => handled - already >= wanted);
  latencies.sort((left, right) => left - right);
  const at = (share: number) =>
    Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  return { rate, appendToHandled: { p50: at(0.5), p99: at(0.99), max: at(0.9999) } };
}

async function batched(): Promise<object> {
  const already = handled;
  const batcher = createCommandBatcher<number>({
    log: gateway.log,
    encode: () => encoder.encode(JSON.stringify({ number: ++number, at: performance.now() })),
    maxItems: 50,
    maxWaiting: 10_000,
  });
  const from = performance.now();
  const items = 50_000;
  let submitted = 0;
  await Promise.all(
    Array.from({ length: 2000 }, async (_, key) => {
      while (submitted < items) {
        submitted += 1;
        await batcher.submit(`conversation ${key}`, submitted);
      }
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  await until(async () => (await gateway.log.depth()) === 0);
  return {
    itemsPerSecond: Math.round(submitted / seconds),
    itemsPerCommand: Number((submitted / (handled - already)).toFixed(1)),
  };
}

const result = {
  partitions,
  workers: workers.length,
  write,
  saturated: await saturate(),
  steady: await steady(),
  batched: await batched(),
  disorder,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);

await Promise.all(consumers.map((consumer) => consumer.stop(1000)));
const manager = await gateway.connection.client.jetstreamManager();
for (const stream of [streamName, deadLetterStream]) await manager.streams.delete(stream);
await Promise.all([gateway, ...workers].map(({ connection }) => connection.drain()));
