import { readFile } from 'node:fs/promises';
import type { Collection } from 'mongodb';
import type { Context, Item } from './check.ts';
import { createMessageIndexes, item } from './check.ts';

export interface Measurement {
  readonly name: string;
  readonly operationsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU milliseconds of the server for one operation; null when its pid is not known. */
  readonly serverCpu: number | null;
}

const journaled = { writeConcern: { w: 'majority', journal: true } } as const;

/** CPU time of a process so far, in ms; only where /proc exists. */
async function cpuTime(pid: number | null): Promise<number | null> {
  if (pid === null) {
    return null;
  }
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}

async function measure(
  name: string,
  pid: number | null,
  limit: number,
  count: number,
  operation: (n: number) => Promise<unknown>,
): Promise<Measurement> {
  const times: number[] = [];
  const cpuBefore = await cpuTime(pid);
  const began = performance.now();
  for (let n = 0; n < count && performance.now() - began < limit; n += 1) {
    const start = performance.now();
    await operation(n);
    times.push(performance.now() - start);
  }
  const elapsed = performance.now() - began;
  const cpuAfter = await cpuTime(pid);
  times.sort((left, right) => left - right);
  const at = (share: number) =>
    Math.round((times[Math.floor(share * (times.length - 1))] ?? Number.NaN) * 100) / 100;
  return {
    name,
    operationsPerSecond: Math.round((times.length / elapsed) * 1000),
    p50: at(0.5),
    p99: at(0.99),
    serverCpu:
      cpuBefore === null || cpuAfter === null
        ? null
        : Math.round(((cpuAfter - cpuBefore) / times.length) * 100) / 100,
  };
}

/** Fills up to `total` messages in conversations of 1,000; gives up after `limit` ms. */
async function fill(items: Collection<Item>, total: number, limit: number): Promise<number> {
  const began = performance.now();
  let count = await items.estimatedDocumentCount();
  while (count < total && performance.now() - began < limit) {
    const conversation = `fill-${Math.floor(count / 1000)}`;
    await items.insertMany(
      Array.from({ length: 1000 }, (_, n) => item(conversation, n + 1)),
      { ordered: true },
    );
    count += 1000;
  }
  return count;
}

export async function measureThroughput(
  { collection }: Context,
  pid: number | null,
  fillLimit: number,
): Promise<Measurement[]> {
  const items = collection('throughput');
  await createMessageIndexes(items);
  const results: Measurement[] = [];
  const add = async (name: string, count: number, operation: (n: number) => Promise<unknown>) => {
    results.push(await measure(name, pid, 10_000, count, operation));
  };
  await add('insertMany of 1, {w: majority, j: true}', 1000, (n) =>
    items.insertMany([item('one', n + 1)], journaled),
  );
  await add('insertMany of 50, {w: majority, j: true}', 200, (n) =>
    items.insertMany(
      Array.from({ length: 50 }, (_, m) => item('fifty', n * 50 + m + 1)),
      journaled,
    ),
  );
  await add('4 concurrent insertMany of 1', 250, (n) =>
    Promise.all(
      [0, 1, 2, 3].map((lane) => items.insertMany([item(`lane-${lane}`, n + 1)], journaled)),
    ),
  );
  for (const total of [100_000, 1_000_000]) {
    const count = await fill(items, total, fillLimit);
    const size = `out of ${Math.round(count / 1000)},000`;
    await add(`newest page of 50 ${size}`, 500, (n) =>
      items
        .find({ conversationId: `fill-${n % Math.floor(count / 1000)}` })
        .sort({ seq: -1 })
        .limit(50)
        .toArray(),
    );
    await add(`page of 50 before a seq, in a conversation of 10,000, ${size}`, 500, (n) =>
      items
        .find({ conversationId: 'fifty', seq: { $lt: 200 + ((n * 97) % 9000) } })
        .sort({ seq: -1 })
        .limit(50)
        .toArray(),
    );
    await add(`the same page with both ends given, ${size}`, 500, (n) => {
      const end = 200 + ((n * 97) % 9000);
      return items
        .find({ conversationId: 'fifty', seq: { $gte: end - 50, $lt: end } })
        .sort({ seq: -1 })
        .limit(50)
        .toArray();
    });
    await add(`last seq ${size}`, 500, (n) =>
      items.findOne(
        { conversationId: `fill-${n % Math.floor(count / 1000)}` },
        { sort: { seq: -1 }, projection: { _id: 0, seq: 1 } },
      ),
    );
    await add(`findOne by client key ${size}`, 500, (n) =>
      items.findOne({
        conversationId: `fill-${n % Math.floor(count / 1000)}`,
        senderId: 'user-3',
        clientMessageId: 'client-500',
      }),
    );
    if (count < total) {
      break;
    }
  }
  return results;
}
