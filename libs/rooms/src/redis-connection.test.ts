import type { Readable } from 'node:stream';
import { startBackends } from '@bambochat/testing';
import { expect, test, vi } from 'vitest';
import { RedisConnection } from './redis-connection.ts';
import { silentLogger } from './rooms-logger.ts';

test('what comes from Redis is handed on at once, and not queued in the stream', async () => {
  await using backends = await startBackends({ names: ['redis'] });
  const connection = new RedisConnection({
    url: backends.redis.url,
    name: 'test',
    pingInterval: 60_000,
    pingTimeout: 10_000,
    maxRetryDelay: 1000,
    logger: silentLogger,
  });
  try {
    await connection.firstReady(10_000);
    const { stream } = connection.redis as unknown as { stream: Readable };
    const reads = vi.spyOn(stream, 'read');
    await connection.redis.ping();
    await connection.redis.ping();
    // What is queued is read from the queue by a call without a size.
    expect(reads.mock.calls.filter(([size]) => size === undefined)).toEqual([]);
  } finally {
    await connection.close();
  }
});
