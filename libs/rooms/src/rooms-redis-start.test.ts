import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort, startBackends, waitFor } from '@bambochat/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createRedisRooms } from './rooms-redis.ts';

const silence = { connectTimeout: 400, maxRetryDelay: 50 };

test('without a Redis it fails after its time, and names the address without credentials', async () => {
  const port = await freePort();
  const failure = await createRedisRooms({
    ...silence,
    url: `redis://somebody:secret@127.0.0.1:${port}/2`,
  }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  const { message } = failure as Error;
  expect(message).toContain(`redis://127.0.0.1:${port}/2`);
  expect(message).toContain('ECONNREFUSED');
  expect(message).not.toMatch(/somebody|secret/);
});

test.each([['http://127.0.0.1:6379'], ['not a url'], ['']])(
  'the URL %j is refused at once',
  async (url) => {
    await expect(createRedisRooms({ url })).rejects.toThrow(/^The URL of Redis/);
  },
);

test('it waits for a Redis that comes up late', async () => {
  await using backends = await startBackends({ names: ['redis'], own: true });
  await backends.redis.kill();
  const opening = createRedisRooms({ url: backends.redis.url, maxRetryDelay: 50 });
  await backends.redis.restart();
  const rooms = await opening;
  await expect(rooms.check()).resolves.toBeUndefined();
  await rooms.stop();
});

test('a Redis that refuses sharded pub/sub is an error at start', async () => {
  await using backends = await startBackends({ names: ['redis'], own: true });
  const client = new Redis(backends.redis.url);
  await client.call('ACL', 'SETUSER', 'default', '-spublish');
  client.disconnect();
  await expect(createRedisRooms({ url: backends.redis.url })).rejects.toThrow(
    /refuses sharded pub\/sub, which needs Redis 7\.0 or newer/,
  );
});

test('a process that only emits ends by itself once it has stopped, and its last emits are sent', async () => {
  await using backends = await startBackends({ names: ['redis'], own: true });
  const spy = new Redis(backends.redis.url);
  let heard = 0;
  spy.on('smessage', () => {
    heard += 1;
  });
  await spy.ssubscribe('bambochat#/#user:bob#');

  const program = `
    import { createRedisRooms } from ${JSON.stringify(new URL('./rooms-redis.ts', import.meta.url).href)};
    const rooms = await createRedisRooms({ url: ${JSON.stringify(backends.redis.url)} });
    for (let n = 0; n < 200; n += 1) rooms.emitter.toUser('bob', 'resync', { reason: 'test' });
    await rooms.stop();
    if (rooms.figures().redis.dropped > 0) console.error('dropped');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'pipe'],
    cwd: import.meta.dirname,
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const [code] = await once(child, 'exit');
  expect(complaints).toBe('');
  expect(code).toBe(0);
  await waitFor(() => heard === 200);
  spy.disconnect();
});
