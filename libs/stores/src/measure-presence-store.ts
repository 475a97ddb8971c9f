import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { durations, PresenceWorld } from './presence-world.fixture.ts';
import { openRedisPresenceStore } from './redis.ts';

/**
 * Measures the presence store in Redis and prints JSON, times in milliseconds inside Redis:
 *
 *     node src/measure-presence-store.ts <Redis URL> [users]
 *
 * `users` is a multiple of 500. Nobody else should use that Redis meanwhile. Deletes what it wrote.
 */
const [url, users = '20000'] = process.argv.slice(2);
if (url === undefined) {
  throw new Error('The URL of a Redis is needed');
}
const REPORTED_AT_ONCE = 500;
const total = Number(users);
if (!(total > 0) || total % REPORTED_AT_ONCE !== 0) {
  throw new Error(`The number of users must be a multiple of ${REPORTED_AT_ONCE}`);
}
const CLAIMED_AT_ONCE = 100;
const ROUNDS = 200;

const prefix = `measure-${randomBytes(6).toString('hex')}`;
const redis = new Redis(url);

/** Microseconds inside Redis and calls, of all scripts. */
async function scriptTime(): Promise<{ calls: number; usec: number }> {
  const stats = await redis.info('commandstats');
  const [, calls, usec] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  return { calls: Number(calls ?? 0), usec: Number(usec ?? 0) };
}

/** Milliseconds inside Redis of what `work` does, each of `rounds` times. */
async function insideRedis(rounds: number, work: (round: number) => Promise<unknown>) {
  const before = await scriptTime();
  for (let round = 0; round < rounds; round += 1) {
    await work(round);
  }
  const after = await scriptTime();
  if (after.calls === before.calls) {
    throw new Error('No script ran in this Redis');
  }
  return Number(((after.usec - before.usec) / 1000 / rounds).toFixed(3));
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

const bytesBefore = await usedMemory();
const bytesPerUser = async () => Math.round(((await usedMemory()) - bytesBefore) / total);
const world = await PresenceWorld.open(async (clock) => {
  const store = await openRedisPresenceStore({ url, durations, clock, prefix });
  return {
    doors: () => [store, store],
    empty: async () => {},
    users: async () => total,
    close: () => store.close(),
  };
});
await world.settle();
const gateway = world.gateway('g1');
const names = Array.from({ length: total }, (_, index) => `user-${index}`);
const sweep = () => world.store.sweep({ aliveAt: PresenceWorld.aliveAt, limit: REPORTED_AT_ONCE });

const report = await insideRedis(total / REPORTED_AT_ONCE, (round) =>
  gateway.report({ came: names.slice(round * REPORTED_AT_ONCE, (round + 1) * REPORTED_AT_ONCE) }),
);
const unannounced = await bytesPerUser();
const claimAndCommit = await insideRedis(total / CLAIMED_AT_ONCE, async () => {
  await world.store.commit(await world.store.claim(CLAIMED_AT_ONCE));
});
const announced = await bytesPerUser();
const heartbeat = await insideRedis(ROUNDS, () => gateway.report());
const idleSweep = await insideRedis(ROUNDS, sweep);

world.silence(gateway);
await world.pass(durations.lease - 1);
world.leap(1);
const settlingSweep = await insideRedis(total / REPORTED_AT_ONCE, sweep);

process.stdout.write(
  `${JSON.stringify(
    {
      users: total,
      heartbeat,
      'sweep with nothing to do': idleSweep,
      'report of 500 arrivals': report,
      'sweep that settles 500 users': settlingSweep,
      'claim and commit of 100': claimAndCommit,
      'bytes per user': { announced, 'until then': unannounced },
    },
    null,
    2,
  )}\n`,
);

for await (const keys of redis.scanStream({ match: `{${prefix}:presence}:*`, count: 1_000 })) {
  if (keys.length > 0) {
    await redis.unlink(keys);
  }
}
await world.harness.close();
redis.disconnect();
