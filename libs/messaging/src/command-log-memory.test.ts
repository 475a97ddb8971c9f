import { expect, test } from 'vitest';
import { createCommandBatcher } from './command-batcher.ts';
import { bytes, commandLogContract, text } from './command-log.contract.ts';
import type { CommandLog } from './command-log.ts';
import { createMemoryCommandLog } from './command-log-memory.ts';

commandLogContract('the memory log', async () => ({
  async open({ partitions = 4, capacity = 10_000, handles = 1 }) {
    const log = createMemoryCommandLog({ partitions, maxPending: capacity });
    return Array.from({ length: handles }, (): CommandLog => log);
  },
  async [Symbol.asyncDispose]() {},
}));

test('a command is copied when it is appended', async () => {
  const log = createMemoryCommandLog({ partitions: 1 });
  const command = bytes('before');
  await log.append(0, command);
  command.fill(0);
  const handled = Promise.withResolvers<string>();
  const consumer = await log.consume(async (delivery) => handled.resolve(text(delivery.command)));
  expect(await handled.promise).toBe('before');
  await consumer.stop(1000);
});

test('the ring of dead letters keeps the newest', async () => {
  const log = createMemoryCommandLog({ partitions: 1, maxDeadLetters: 2 });
  const handled = Promise.withResolvers<void>();
  const consumer = await log.consume(async ({ deadLetter }) => {
    for (const part of ['1', '2', '3']) await deadLetter(bytes(part), 'no reason');
    handled.resolve();
  });
  await log.append(0, bytes('whole'));
  await handled.promise;
  expect((await log.deadLetters(10)).map(({ command }) => text(command))).toEqual(['3', '2']);
  await consumer.stop(1000);
});

test('a backlog leaves the event loop turns between commands', async () => {
  const log = createMemoryCommandLog({ partitions: 1 });
  for (let index = 0; index < 50; index += 1) await log.append(0, bytes(`${index}`));
  let handled = 0;
  const consumer = await log.consume(async () => {
    handled += 1;
  });
  const seen = new Set<number>();
  while (handled < 50) {
    seen.add(handled);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(seen.size).toBeGreaterThan(10);
  await consumer.stop(1000);
});

test('what comes in one turn of the loop becomes few commands', async () => {
  const log = createMemoryCommandLog({ partitions: 1 });
  const sizes: number[] = [];
  const batcher = createCommandBatcher<string>({
    log,
    encode(items) {
      sizes.push(items.length);
      return bytes(items.join());
    },
    maxItems: 1000,
    maxWaiting: 1000,
  });
  const accepted: Promise<void>[] = [];
  for (let index = 0; index < 100; index += 1) {
    accepted.push(batcher.submit('one conversation', `${index}`));
    // As between two sockets that are read in the same turn: micro-tasks run.
    await undefined;
    await undefined;
    await undefined;
  }
  await Promise.all(accepted);
  expect(sizes.length).toBeLessThanOrEqual(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
});
