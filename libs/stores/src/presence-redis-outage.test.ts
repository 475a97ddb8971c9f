import { type AddressInfo, createServer } from 'node:net';
import { type Backend, freePort, startBackends, waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PresenceStore } from './presence-store.ts';
import { durations, PlayedGateway, PresenceWorld } from './presence-world.fixture.ts';
import { openRedisPresenceStore } from './redis.ts';

const unavailable = { code: 'UNAVAILABLE', message: expect.stringContaining('presence store') };
const sweep = { aliveAt: PresenceWorld.aliveAt, limit: 100 };

describe('a Redis that goes away', () => {
  let redis: Backend;
  let store: PresenceStore;
  const unhandled: unknown[] = [];
  const noteUnhandled = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', noteUnhandled);
    ({ redis } = await startBackends({ names: ['redis'], own: true }));
    store = await openRedisPresenceStore({ url: redis.url, durations });
  });
  afterAll(async () => {
    await store?.close();
    await redis?.stop();
    process.off('unhandledRejection', noteUnhandled);
    expect(unhandled).toEqual([]);
  });

  /** Of every kind of call. */
  const everything = () =>
    Promise.allSettled([
      store.report(new PlayedGateway({ store } as PresenceWorld, 'g1' as never).next()),
      store.sweep(sweep),
      store.claim(10),
      store.commit([]),
      store.release([], 0),
      store.locate([]),
      store.declareLost([]),
      store.settle(),
      store.size(),
      store.check(),
    ]);

  test('rejects at once while it is killed; after a restart the store is an empty one', async () => {
    await store.sweep(sweep);
    await expect(store.check()).resolves.toBeUndefined();
    await redis.kill();
    for (const outcome of await everything()) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    await redis.restart();
    const outcome = await waitFor(() => store.sweep(sweep), { timeout: 20_000 });
    expect(outcome).toMatchObject({ settled: false });
    await expect(store.check()).resolves.toBeUndefined();
  }, 60_000);

  test('rejects while it hangs instead of waiting, and goes on where it was afterwards', async () => {
    await waitFor(() => store.sweep(sweep), { timeout: 20_000 });
    const gateway = new PlayedGateway({ store } as PresenceWorld, 'g1' as never);
    await gateway.report({ came: ['anna'] });
    await redis.pause();
    try {
      // The signal may need a moment to stop the process.
      await waitFor(() =>
        store.check().then(
          () => false,
          () => true,
        ),
      );
      for (const outcome of await everything()) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
      }
    } finally {
      await redis.resume();
    }
    const claims = await waitFor(
      async () => {
        await store.sweep(sweep);
        const found = await store.claim(10);
        return found.length > 0 ? found : null;
      },
      { timeout: 20_000 },
    );
    expect(claims).toMatchObject([{ userId: 'anna', online: true }]);
    await store.commit(claims ?? []);
  }, 60_000);

  test('comes back by itself after a server that accepts and never answers', async () => {
    await redis.kill();
    const port = Number(new URL(redis.url).port);
    let connections = 0;
    const sockets = new Set<{ destroy(): void }>();
    const silent = createServer((socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    // More than one: a handshake without an answer is given up.
    await waitFor(() => connections > 1, { timeout: 30_000 });
    await expect(store.check()).rejects.toMatchObject(unavailable);
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => silent.close(resolve));
    await redis.restart();
    await waitFor(() => store.sweep(sweep), { timeout: 20_000 });
    await expect(store.check()).resolves.toBeUndefined();
  }, 90_000);
});

describe('a Redis that cannot be used', () => {
  test('is named in the error at the start, and the credentials are not', async () => {
    const port = await freePort();
    const url = `redis://anna:s3cret@127.0.0.1:${port}/2`;
    const error: unknown = await openRedisPresenceStore({
      url,
      durations,
      connectTimeout: 300,
    }).catch((reason: unknown) => reason);
    expect(String(error)).toContain(
      `Could not connect to Redis at redis://127.0.0.1:${port}/2 in 300 ms`,
    );
    expect(String(error)).not.toMatch(/anna|s3cret/);
  });

  test('because it wants another password is named as well', async () => {
    await using backends = await startBackends({ names: ['redis'], own: true });
    const url = backends.redis.url.replace('redis://', 'redis://anna:s3cret@');
    const error: unknown = await openRedisPresenceStore({
      url,
      durations,
      connectTimeout: 1_000,
    }).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/Could not connect to Redis at redis:\/\/127.*WRONGPASS/);
    expect(String(error)).not.toMatch(/anna|s3cret/);
  });

  test('because it is too old is told which version is needed', async () => {
    // Answers what a client asks when it connects; of the rest it knows nothing.
    const old = createServer((socket) => {
      socket.setEncoding('latin1').on('data', (requests: string) => {
        for (const [, command = ''] of requests.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          const isKnown = /^(auth|client|hello|info|select)$/i.test(command);
          socket.write(
            isKnown ? '+redis_version:6.0.16\r\n' : `-ERR unknown command \`${command}\`\r\n`,
          );
        }
      });
    });
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    const { port } = old.address() as AddressInfo;
    const url = `redis://127.0.0.1:${port}`;
    await expect(openRedisPresenceStore({ url, durations })).rejects.toThrow(
      `Redis at ${url} cannot be used: it must be version 6.2 or newer (ERR unknown command`,
    );
    await new Promise((resolve) => old.close(resolve));
  });

  test.each([
    ['http://anna:s3cret@127.0.0.1/', 'must begin with redis://'],
    ['redis://anna:s3/c@ret@127.0.0.1/', 'The URL of Redis is not valid'],
    ['anna s3cret', 'The URL of Redis is not valid'],
  ])('because its URL is %s is refused at once', async (url, why) => {
    const error: unknown = await openRedisPresenceStore({ url, durations }).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).toContain(why);
    expect(String(error)).not.toMatch(/anna|s3|ret@/);
  });
});
