import { AppError } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import type { CommandBatcherOptions } from './command-batcher.ts';
import { createCommandBatcher } from './command-batcher.ts';
import type { CommandLog } from './command-log.ts';
import { partitionOf } from './command-log.ts';

/** A log whose appends are answered by the test. */
function scriptedLog(answer: (items: string[], call: number) => Promise<void>, partitions = 1) {
  const appends: string[][] = [];
  const inFlight = new Map<number, number>();
  const log: Pick<CommandLog, 'partitions' | 'append'> = {
    partitions,
    async append(partition, command) {
      const items = JSON.parse(new TextDecoder().decode(command)) as string[];
      appends.push(items);
      const running = (inFlight.get(partition) ?? 0) + 1;
      inFlight.set(partition, running);
      expect(running, 'appends in flight in one partition').toBe(1);
      try {
        await answer(items, appends.length);
      } finally {
        inFlight.set(partition, running - 1);
      }
    },
  };
  return { log: log as CommandLog, appends };
}

function batcherOn(log: CommandLog, options: Partial<CommandBatcherOptions<string>> = {}) {
  return createCommandBatcher<string>({
    log,
    encode: (items) => new TextEncoder().encode(JSON.stringify(items)),
    maxItems: 4,
    maxWaiting: 100,
    backoff: 1,
    maxBackoff: 2,
    ...options,
  });
}

const codes = (results: PromiseSettledResult<void>[]) =>
  results.map((result) => (result.status === 'rejected' ? result.reason.code : 'accepted'));

test('while an append is in flight, items gather for the next command, in order', async () => {
  const first = Promise.withResolvers<void>();
  const { log, appends } = scriptedLog((_, call) =>
    call === 1 ? first.promise : Promise.resolve(),
  );
  const batcher = batcherOn(log);
  const accepted: string[] = [];
  const submit = (item: string) => batcher.submit('c', item).then(() => accepted.push(item));
  const submitted = [submit('a'), submit('b')];
  await waitFor(() => appends.length === 1);
  for (const item of ['c', 'd', 'e', 'f', 'g', 'h']) submitted.push(submit(item));
  expect(batcher.waiting).toBe(8);
  expect(accepted).toEqual([]);
  first.resolve();
  await Promise.all(submitted);
  expect(appends).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e', 'f'],
    ['g', 'h'],
  ]);
  expect(accepted).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  expect(batcher.waiting).toBe(0);
});

describe('while enough commands are unanswered', () => {
  const hour = 3_600_000;

  test('items gather, though the log accepts at once; an answer lets them go', async () => {
    const { log, appends } = scriptedLog(() => Promise.resolve());
    const batcher = batcherOn(log, { maxUnanswered: 2, gatherTime: hour });
    await batcher.submit('c', 'a');
    await batcher.submit('c', 'b');
    const gathered = [batcher.submit('c', 'd'), batcher.submit('c', 'e')];
    await new Promise(setImmediate);
    gathered.push(batcher.submit('c', 'f'));
    expect(appends).toEqual([['a'], ['b']]);
    batcher.answered('c');
    await Promise.all(gathered);
    expect(appends).toEqual([['a'], ['b'], ['d', 'e', 'f']]);
  });

  test('a command that is full waits for no answer', async () => {
    const { log, appends } = scriptedLog(() => Promise.resolve());
    const batcher = batcherOn(log, { maxUnanswered: 1, gatherTime: hour, maxItems: 2 });
    await batcher.submit('c', 'a');
    await Promise.all([batcher.submit('c', 'b'), batcher.submit('c', 'd')]);
    expect(appends).toEqual([['a'], ['b', 'd']]);
  });

  test('one whose answer never comes is waited for no longer than `gatherTime`', async () => {
    const { log, appends } = scriptedLog(() => Promise.resolve());
    const batcher = batcherOn(log, { maxUnanswered: 1, gatherTime: 30 });
    await batcher.submit('c', 'a');
    await batcher.submit('c', 'b');
    expect(appends).toEqual([['a'], ['b']]);
  });

  test('one that the log did not take is not waited for', async () => {
    const { log, appends } = scriptedLog(async (items) => {
      if (items[0] === 'a') throw new AppError('OVERLOADED', 'full');
    });
    const batcher = batcherOn(log, { maxUnanswered: 1, gatherTime: hour });
    await expect(batcher.submit('c', 'a')).rejects.toMatchObject({ code: 'OVERLOADED' });
    await batcher.submit('c', 'b');
    expect(appends).toEqual([['a'], ['b']]);
  });

  test('an answer that is faster than the log counts', async () => {
    const { log, appends } = scriptedLog(async (items) => {
      if (items[0] === 'a') batcher.answered('c');
    });
    const batcher = batcherOn(log, { maxUnanswered: 1, gatherTime: hour });
    await batcher.submit('c', 'a');
    await batcher.submit('c', 'b');
    expect(appends).toEqual([['a'], ['b']]);
  });

  test('other partitions go on', async () => {
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'];
    const other = keys.find((key) => partitionOf(key, 2) !== partitionOf('k0', 2)) as string;
    const { log, appends } = scriptedLog(() => Promise.resolve(), 2);
    const batcher = batcherOn(log, { maxUnanswered: 1, gatherTime: hour });
    await batcher.submit('k0', 'a');
    void batcher.submit('k0', 'held').catch(() => {});
    await batcher.submit(other, 'b');
    expect(appends).toEqual([['a'], ['b']]);
    batcher.answered('k0');
  });
});

test('partitions do not wait for each other', async () => {
  const keys = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'];
  const slowKey = keys[0] as string;
  const fastKey = keys.find((key) => partitionOf(key, 2) !== partitionOf(slowKey, 2)) as string;
  const gate = Promise.withResolvers<void>();
  const { log } = scriptedLog(
    (items) => (items[0] === 'slow' ? gate.promise : Promise.resolve()),
    2,
  );
  const batcher = batcherOn(log);
  const slow = batcher.submit(slowKey, 'slow');
  await batcher.submit(fastKey, 'fast');
  expect(batcher.waiting).toBe(1);
  gate.resolve();
  await slow;
});

test('a batch that the log could not take is tried again before anything behind it', async () => {
  const { log, appends } = scriptedLog(async (_, call) => {
    if (call <= 3) throw new AppError('UNAVAILABLE', 'no log');
  });
  const batcher = batcherOn(log);
  const submitted = [batcher.submit('c', 'a')];
  await waitFor(() => appends.length >= 1);
  submitted.push(batcher.submit('c', 'b'));
  await Promise.all(submitted);
  expect(appends).toEqual([['a'], ['a'], ['a'], ['a'], ['b']]);
});

test('past the accept timeout the batch is rejected in order and what comes later goes on', async () => {
  let down = true;
  const { log, appends } = scriptedLog(async () => {
    if (down) throw new AppError('UNAVAILABLE', 'no log');
  });
  const batcher = batcherOn(log, { acceptTimeout: 60 });
  const rejected: string[] = [];
  const submit = (item: string) =>
    batcher.submit('c', item).catch((error: AppError) => rejected.push(`${item} ${error.code}`));
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(submit));
  expect(rejected).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((item) => `${item} UNAVAILABLE`));
  expect(appends.length).toBeGreaterThan(1);
  const before = appends.length;
  down = false;
  await batcher.submit('c', 'g');
  // Nothing that was rejected is appended later.
  expect(appends.slice(before)).toEqual([['g']]);
});

test('an item that expired behind a hanging append is rejected without being appended', async () => {
  const gate = Promise.withResolvers<void>();
  const { log, appends } = scriptedLog((_, call) =>
    call === 1 ? gate.promise : Promise.resolve(),
  );
  const batcher = batcherOn(log, { acceptTimeout: 30 });
  const first = batcher.submit('c', 'hangs');
  await waitFor(() => appends.length === 1);
  const expires = batcher.submit('c', 'expires');
  const expired = performance.now() + 31;
  await waitFor(() => performance.now() > expired);
  const fresh = batcher.submit('c', 'fresh');
  gate.resolve();
  await first;
  await expect(expires).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await fresh;
  expect(appends).toEqual([['hangs'], ['fresh']]);
});

test('a full log rejects the batch at once', async () => {
  const { log, appends } = scriptedLog(async (_, call) => {
    if (call === 1) throw new AppError('OVERLOADED', 'full');
  });
  const batcher = batcherOn(log);
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((item) => batcher.submit('c', item)),
  );
  expect(codes(results)).toEqual([...Array(4).fill('OVERLOADED'), 'accepted']);
  expect(appends).toEqual([['a', 'b', 'c', 'd'], ['e']]);
});

test('past maxWaiting an item is refused at once, whatever its partition', async () => {
  const gate = Promise.withResolvers<void>();
  const { log } = scriptedLog(() => gate.promise, 8);
  const batcher = batcherOn(log, { maxWaiting: 3 });
  const accepted = ['a', 'b', 'c'].map((key) => batcher.submit(key, key));
  await expect(batcher.submit('d', 'd')).rejects.toMatchObject({ code: 'OVERLOADED' });
  expect(batcher.waiting).toBe(3);
  gate.resolve();
  await Promise.all(accepted);
  await batcher.submit('d', 'd');
});

test('a command past maxBytes is split, and only an item too large by itself is refused', async () => {
  const { log, appends } = scriptedLog(async () => {});
  const batcher = batcherOn(log, { maxItems: 10, maxBytes: 60 });
  const items = ['a'.repeat(25), 'b'.repeat(25), 'c'.repeat(100), 'd'.repeat(25), 'e'.repeat(25)];
  const results = await Promise.allSettled(items.map((item) => batcher.submit('c', item)));
  expect(codes(results)).toEqual(['accepted', 'accepted', 'TOO_LARGE', 'accepted', 'accepted']);
  expect(appends.flat()).toEqual(items.filter((item) => item.length < 100));
  for (const append of appends) expect(JSON.stringify(append).length).toBeLessThanOrEqual(60);
});

test('a batch that the log itself finds too large is split, too', async () => {
  const { log, appends } = scriptedLog(async (items) => {
    if (items.length > 1) throw new AppError('TOO_LARGE', 'too large');
  });
  const batcher = batcherOn(log);
  await Promise.all(['a', 'b', 'c', 'd'].map((item) => batcher.submit('c', item)));
  expect(appends.filter((items) => items.length === 1).flat()).toEqual(['a', 'b', 'c', 'd']);
});

test('an item that cannot be encoded fails alone', async () => {
  const { log, appends } = scriptedLog(async () => {});
  const batcher = batcherOn(log, {
    encode: (items) => {
      if (items.includes('bad')) throw new TypeError('cannot encode');
      return new TextEncoder().encode(JSON.stringify(items));
    },
  });
  const results = await Promise.allSettled(
    ['a', 'b', 'bad', 'c'].map((item) => batcher.submit('c', item)),
  );
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(appends.flat()).toEqual(['a', 'b', 'c']);
});

test('drain resolves when nothing waits any more, or at its timeout', async () => {
  const gate = Promise.withResolvers<void>();
  const { log } = scriptedLog(() => gate.promise);
  const batcher = batcherOn(log);
  await batcher.drain(3_600_000);
  const submitted = batcher.submit('c', 'a');
  await batcher.drain(5);
  expect(batcher.waiting).toBe(1);
  const drained = batcher.drain(3_600_000);
  gate.resolve();
  await Promise.all([drained, submitted]);
  expect(batcher.waiting).toBe(0);
});
