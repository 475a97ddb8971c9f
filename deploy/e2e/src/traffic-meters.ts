import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { connect } from 'nats';
import { request } from './rest-client.ts';

/** Numbers that only grow, by kind: commands, messages, seconds. */
export type Counts = Readonly<Record<string, number>>;

/** Something that counts what a back end or a process does. */
export interface Meter extends AsyncDisposable {
  /** Counts since the meter, or what it looks at, began; reading counts as nothing. */
  read(): Promise<Counts>;
}

/** Redis commands by name, as `INFO commandstats` has them, without those of the meter. */
export async function redisMeter(url: string): Promise<Meter> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  // Each failure rejects the command that met it.
  redis.on('error', () => {});
  await redis.ping();
  let own = 1;
  return {
    async read() {
      own += 1;
      const counts: Record<string, number> = {};
      const info = await redis.info('commandstats');
      for (const [, name = '', calls] of info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)) {
        counts[name] = Number(calls);
      }
      // The command that asks is counted when it is done.
      counts.info = Math.max(0, (counts.info ?? 0) - (own - 2));
      return counts;
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

/**
 * NATS messages by subject, counted by a subscriber to everything: each message that anybody
 * publishes once, requests, answers and what JetStream says included. The ids in subjects are left
 * out.
 */
export async function natsMeter(url: string): Promise<Meter> {
  const connection = await connect({ servers: url, maxReconnectAttempts: -1 });
  const counts: Record<string, number> = {};
  connection.subscribe('>', {
    callback(_error, { subject }) {
      const kind = kindOfSubject(subject);
      counts[kind] = (counts[kind] ?? 0) + 1;
    },
  });
  await connection.flush();
  return {
    async read() {
      return { ...counts };
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}

/** Bounded: names of at most four words, none of which is an id. */
function kindOfSubject(subject: string): string {
  const words = subject.split('.');
  if (words[0] === '_INBOX') {
    return 'answers';
  }
  const named = words.filter((word) => /^[$A-Za-z][A-Za-z_-]{0,30}$/.test(word));
  return named.slice(0, 4).join('.');
}

/** MongoDB operations by kind; null when the server does not count them. */
export async function mongoMeter(url: string): Promise<Meter | null> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
  const read = async (): Promise<Counts | null> => {
    const status = await client.db('admin').command({ serverStatus: 1 });
    const { insert, query, update, delete: deleted, getmore } = status.opcounters ?? {};
    const counts = { insert, query, update, delete: deleted, getmore };
    return typeof insert === 'number'
      ? Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]))
      : null;
  };
  const first = await read().catch(() => null);
  if (first === null) {
    await client.close();
    return null;
  }
  return {
    async read() {
      return (await read()) ?? {};
    },
    async [Symbol.asyncDispose]() {
      await client.close();
    },
  };
}

/** What processes say of themselves at `/metrics`, added up over all of them. */
export function processMeter(urls: readonly string[]): {
  /** Sum of a metric over processes and labels. */
  sum(name: string): Promise<number>;
} {
  return {
    async sum(name) {
      const texts = await Promise.all(
        urls.map(async (url) => String((await request(url, 'GET', '/metrics')).body)),
      );
      let sum = 0;
      for (const text of texts) {
        for (const line of text.split('\n')) {
          const [, series, value] = /^([^\s{]+)(?:\{[^}]*\})? (\S+)/.exec(line) ?? [];
          if (series === name) {
            sum += Number(value);
          }
        }
      }
      return sum;
    },
  };
}

/** How much of each kind came in between, kinds of which nothing came left out. */
export function difference(before: Counts, after: Counts): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

export function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
