import { randomUUID } from 'node:crypto';
import type { EventBus } from '@bambochat/messaging';
import { connectNats, createNatsEventBus, type NatsConnection } from '@bambochat/messaging/nats';
import type { UserId } from '@bambochat/protocol';
import { openMongoStores } from '@bambochat/stores/mongo';
import { openRedisPresenceStore } from '@bambochat/stores/redis';
import { startBackends, waitFor } from '@bambochat/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  befriend,
  newUsers,
  type OpenHouse,
  playGateway,
  startReplica,
  testDurations,
} from './presence-fixture.ts';
import { presenceServiceContract } from './presence-service.contract.ts';

describe('presence-service on MongoDB, NATS and Redis', () => {
  const opened = new AsyncDisposableStack();
  let backends: Awaited<ReturnType<typeof startBackends>>;
  let connections: NatsConnection[];

  beforeAll(async () => {
    // Its own: some are killed here, and who listens on a shared bus hears strangers.
    backends = opened.use(await startBackends({ own: true }));
    connections = await Promise.all(
      ['one', 'two', 'three'].map((name) => connectNats({ url: backends.nats.url, name })),
    );
    for (const connection of connections) {
      opened.defer(() => connection.close());
    }
  });
  afterAll(() => opened.disposeAsync());

  const open: OpenHouse = async (overrides) => {
    const durations = { ...testDurations, ...overrides };
    const name = `test-${randomUUID()}`;
    const closing = new AsyncDisposableStack();
    const stores = await openMongoStores({ url: backends.mongodb.url, database: name });
    closing.defer(() => stores.close());
    const buses = connections.map((connection) => createNatsEventBus({ connection }));
    const { url } = backends.redis;
    let taken = 0;
    return {
      ...stores,
      durations,
      bus() {
        taken += 1;
        return buses[taken % buses.length] as EventBus;
      },
      async openPresence() {
        const store = await openRedisPresenceStore({ url, durations, prefix: name });
        closing.defer(() => store.close());
        return store;
      },
      async emptyPresence() {
        const redis = new Redis(url);
        const keys = await redis.keys(`*${name}*`);
        expect(keys.length).toBeGreaterThan(0);
        await redis.del(keys);
        redis.disconnect();
      },
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    };
  };

  presenceServiceContract(open);

  it('goes on where it was after NATS was killed', async () => {
    await using house = await open({ lease: 1500 });
    await using replica = await startReplica(house);
    using gateway = await playGateway(house);
    await gateway.settled();
    const [ada, bob, cyd] = newUsers('ada', 'bob', 'cyd') as [UserId, UserId, UserId];
    await befriend(house, ada, bob, cyd);
    await gateway.connect(ada, bob);
    await gateway.hears(ada, bob, ['online']);
    await backends.nats.kill();
    await waitFor(() =>
      replica.logged.includes('no connection to gateways, presence stands still'),
    );
    await expect(gateway.disconnect([bob])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await backends.nats.restart();
    await waitFor(() => gateway.disconnect([bob], 50));
    await waitFor(() => gateway.connect(cyd));
    await gateway.hears(ada, cyd, ['online']);
    await waitFor(async () => {
      await gateway.heartbeat();
      return gateway.heard(ada, bob).length > 1;
    });
    expect(gateway.heard(ada, bob)).toEqual(['online', 'offline']);
    expect(gateway.heard(bob, ada)).toEqual(['online']);
  });

  it('says so and goes on after Redis hung', async () => {
    await using house = await open();
    await using replica = await startReplica(house);
    using gateway = await playGateway(house);
    await gateway.settled();
    const [ada, bob] = newUsers('ada', 'bob') as [UserId, UserId];
    await befriend(house, ada, bob);
    await gateway.connect(ada, bob);
    await gateway.hears(ada, bob, ['online']);
    await backends.redis.pause();
    try {
      await waitFor(() => replica.logged.includes('presence store fails'));
      await expect(gateway.heartbeat()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      await backends.redis.resume();
    }
    await waitFor(() => replica.logged.includes('presence store works again'), { timeout: 20_000 });
    await waitFor(() => gateway.disconnect([bob]));
    await gateway.hears(ada, bob, ['online', 'offline']);
  });
});
