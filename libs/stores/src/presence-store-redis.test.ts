import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisTestServer, redisTestServer } from './presence-redis.fixture.ts';
import { presenceStoreContract } from './presence-store.contract.ts';
import {
  changesIn,
  durations,
  type OpenPresence,
  PresenceWorld,
} from './presence-world.fixture.ts';
import { openRedisPresenceStore } from './redis.ts';

let server: RedisTestServer;
beforeAll(async () => {
  server = await redisTestServer();
});
afterAll(() => server?.close());

const openUnder =
  (prefix: string): OpenPresence =>
  async (clock) => {
    const open = () => openRedisPresenceStore({ url: server.url, durations, clock, prefix });
    const doors = [await open(), await open()] as const;
    return {
      doors: () => doors,
      empty: () => server.empty(prefix),
      users: async () =>
        (await server.keysOf(prefix)).filter((key) => key.startsWith('user:')).length,
      async close() {
        await Promise.all(doors.map((door) => door.close()));
      },
    };
  };

presenceStoreContract('Redis', (clock) => openUnder(server.newPrefix())(clock));

test('without users and gateways only the clock is left in Redis', async () => {
  const prefix = server.newPrefix();
  const world = await PresenceWorld.open(openUnder(prefix));
  await world.settle();
  const gateway = world.gateway('g1');
  await gateway.report({ came: ['anna', 'bert'] });
  await world.announce();
  expect(await server.keysOf(prefix)).toEqual(
    [
      'clock',
      'gateway:g1',
      'leases',
      `roster:g1:${gateway.bucket('anna')}`,
      `roster:g1:${gateway.bucket('bert')}`,
      'user:anna',
      'user:bert',
    ].sort(),
  );
  world.silence(gateway);
  await world.pass(durations.lease + durations.grace);
  await world.announce();
  expect(await server.keysOf(prefix)).toEqual(['clock']);
  await world.harness.close();
});

test.each([
  ['the gateway', (_: PresenceWorld) => ['gateway:g1']],
  ['the rosters', () => 'roster:'],
  ['everything of the gateway', () => 'g1'],
])('%s deleted behind its back is healed without noise', async (_, what) => {
  const prefix = server.newPrefix();
  const world = await PresenceWorld.open(openUnder(prefix));
  await world.settle();
  const gateway = world.gateway('g1');
  const names = Array.from({ length: 30 }, (_value, index) => `user-${index}`);
  await gateway.report({ came: names });
  await world.announce();

  const wanted = what(world);
  const keys = await server.keysOf(prefix);
  const deleted =
    typeof wanted === 'string' ? keys.filter((key) => key.includes(wanted)) : [...wanted];
  expect(deleted.length).toBeGreaterThan(0);
  await server.redis.unlink(deleted.map((key) => `{${prefix}:presence}:${key}`));

  // Somebody goes: what is wrong shows at the latest now, and the totals never drift.
  const outcome = await gateway.report({ went: ['user-0'] });
  expect(outcome.buckets?.filter(([, sum]) => sum < 0) ?? []).toEqual([]);
  await gateway.heal(outcome);
  await gateway.heal(await gateway.report());
  expect((await gateway.report()).buckets).toBeNull();
  await world.pass(durations.grace);
  expect(changesIn(await world.announce())).toEqual(['user-0 off']);
  await world.pass(60_000);
  expect(await world.announce()).toEqual([]);

  world.silence(gateway);
  await world.pass(durations.lease + durations.grace);
  expect(await world.announce()).toHaveLength(29);
  expect(await server.keysOf(prefix)).toEqual(['clock']);
  await world.harness.close();
});

test('two systems on one Redis do not see each other', async () => {
  const [one, other] = [
    await PresenceWorld.open(openUnder(server.newPrefix())),
    await PresenceWorld.open(openUnder(server.newPrefix())),
  ];
  await one.settle();
  await other.settle();
  await one.gateway('g1').report({ came: ['anna'] });
  expect(await other.announce()).toEqual([]);
  expect(changesIn(await one.announce())).toEqual(['anna on']);
  await one.harness.close();
  await other.harness.close();
});

test('scripts that Redis has forgotten are sent again', async () => {
  const world = await PresenceWorld.open(openUnder(server.newPrefix()));
  await world.settle();
  await server.redis.script('FLUSH');
  const gateway = world.gateway('g1');
  await gateway.report({ came: ['anna'] });
  expect(changesIn(await world.announce())).toEqual(['anna on']);
  await world.harness.close();
});

test('without a clock it goes by the one of Redis', async () => {
  const prefix = server.newPrefix();
  const store = await openRedisPresenceStore({
    url: server.url,
    durations: { ...durations, warmUp: 0 },
    prefix,
  });
  const time = async () => {
    const [seconds, microseconds] = (await server.redis.time()).map(Number);
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  };
  const before = await time();
  expect(await store.sweep({ aliveAt: before, limit: 10 })).toMatchObject({ recover: true });
  await store.settle();
  await store.report({
    gatewayId: 'g1' as never,
    number: 1,
    connected: [['anna', 7] as never],
    disconnected: [],
    digest: { users: 1, sum: 7 },
  });
  const [claim] = await store.claim(1);
  expect(claim?.changedAt).toBeGreaterThanOrEqual(before);
  expect(claim?.changedAt).toBeLessThanOrEqual(await time());
  await store.close();
});

test('no error holds users or scripts, which a log should not', async () => {
  const world = await PresenceWorld.open(openUnder(server.newPrefix()));
  const refusal: unknown = await world
    .gateway('g1')
    .report({ came: ['anna'] })
    .catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'UNAVAILABLE' });
  const { cause } = refusal as Error;
  expect(cause).toBeInstanceOf(Error);
  expect(String(cause)).toContain('EMPTY');
  expect(JSON.stringify({ ...(cause as Error), message: String(cause) })).not.toMatch(/anna|HMGET/);
  await world.harness.close();
});

test('a prefix that would break the keys is refused', async () => {
  await expect(
    openRedisPresenceStore({ url: server.url, durations, prefix: 'a}b' }),
  ).rejects.toThrow('prefix');
});
