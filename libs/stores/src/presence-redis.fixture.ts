import { randomBytes } from 'node:crypto';
import { startBackends } from '@bambochat/testing';
import { Redis } from 'ioredis';

export interface RedisTestServer {
  readonly url: string;
  readonly redis: Redis;
  /** A prefix that nobody else uses. */
  newPrefix(): string;
  /** The keys under a prefix, shortened to what follows `{…}:`. */
  keysOf(prefix: string): Promise<string[]>;
  /** Deletes all keys under a prefix. */
  empty(prefix: string): Promise<void>;
  /** Deletes what the tests left, and stops the server if they started it. */
  close(): Promise<void>;
}

/** A real Redis for tests that leave it running. */
export async function redisTestServer(): Promise<RedisTestServer> {
  const backends = await startBackends({ names: ['redis'] });
  const { url } = backends.redis;
  const redis = new Redis(url);
  const prefixes: string[] = [];
  const fullKeys = async (prefix: string) => {
    const found: string[] = [];
    for await (const keys of redis.scanStream({ match: `{${prefix}:presence}:*`, count: 1_000 })) {
      found.push(...keys);
    }
    return [...new Set(found)];
  };
  const empty = async (prefix: string) => {
    const keys = await fullKeys(prefix);
    for (let start = 0; start < keys.length; start += 1_000) {
      await redis.unlink(keys.slice(start, start + 1_000));
    }
  };
  return {
    url,
    redis,
    newPrefix() {
      const prefix = `test-${randomBytes(6).toString('hex')}`;
      prefixes.push(prefix);
      return prefix;
    },
    async keysOf(prefix) {
      const keys = await fullKeys(prefix);
      return keys.map((key) => key.slice(`{${prefix}:presence}:`.length)).sort();
    },
    empty,
    async close() {
      for (const prefix of prefixes) {
        await empty(prefix);
      }
      redis.disconnect();
      await backends.stop();
    },
  };
}
