import { startBackends, waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventBusContract } from './event-bus.contract.ts';
import { createNatsEventBus } from './event-bus-nats.ts';
import { hang } from './jetstream-storage-fixture.ts';
import { connectNats } from './nats-connection.ts';

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;

beforeAll(async () => {
  backends = await startBackends({ names: ['nats'], own: true });
});

afterAll(() => backends?.stop());

const connectTwo = () =>
  Promise.all(
    ['near', 'far'].map((name) => connectNats({ url: backends.nats.url, name })),
  ) as Promise<[Awaited<ReturnType<typeof connectNats>>, Awaited<ReturnType<typeof connectNats>>]>;

eventBusContract('the NATS bus', async () => {
  const [near, far] = await connectTwo();
  return {
    near: createNatsEventBus({ connection: near }),
    far: createNatsEventBus({ connection: far }),
    async publishBroken(subject) {
      near.client.publish(subject, new TextEncoder().encode('{"half": '));
      await near.ping();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([near.close(), far.close()]);
    },
  };
});

test('after NATS was killed, subscriptions come back by themselves and the listeners are told', async () => {
  const [nearConnection, farConnection] = await connectTwo();
  const near = createNatsEventBus({ connection: nearConnection });
  const far = createNatsEventBus({ connection: farConnection });
  const received: unknown[] = [];
  let reconnects = 0;
  far.subscribe('s', (payload) => void received.push(payload));
  far.onReconnect(() => {
    reconnects += 1;
  });
  const ignored = far.onReconnect(() => received.push('a listener that unsubscribed was told'));
  ignored.unsubscribe();
  await far.flush();

  await backends.nats.kill();
  await waitFor(() => !nearConnection.isConnected() && !farConnection.isConnected());
  near.publish('s', 'while away');
  expect(near.dropped).toBe(1);
  await expect(near.request('s', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(nearConnection.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await near.flush()).toBe(false);
  expect(nearConnection.figures()).toEqual({ connected: false, disconnects: 1, reconnects: 0 });

  await backends.nats.restart();
  await waitFor(() => reconnects === 1 && nearConnection.isConnected());
  expect(nearConnection.figures()).toEqual({ connected: true, disconnects: 1, reconnects: 1 });
  await Promise.all([nearConnection.ping(), far.flush()]);
  near.publish('s', 'back');
  await waitFor(() => received.length > 0);
  expect(received).toEqual(['back']);
  await Promise.all([nearConnection.close(), farConnection.close()]);
});

test('a server that hangs makes events drop instead of memory grow', async () => {
  const connection = await connectNats({ url: backends.nats.url, name: 'hung' });
  const bus = createNatsEventBus({ connection, maxUnsentBytes: 1024 ** 2 });
  await hang(backends.nats, connection);
  try {
    const payload = 'x'.repeat(64 * 1024);
    for (let index = 0; index < 100; index += 1) bus.publish('s', payload);
    expect(bus.dropped).toBeGreaterThan(80);
    expect(await bus.flush()).toBe(false);
  } finally {
    await backends.nats.resume();
  }
  const before = bus.dropped;
  await waitFor(async () => {
    const flushed = await bus.flush();
    bus.publish('s', 'small');
    return flushed && bus.dropped === before;
  });
  await connection.close();
});

test('an event larger than the server takes is dropped, and the connection lives on', async () => {
  const connection = await connectNats({ url: backends.nats.url, name: 'large' });
  const bus = createNatsEventBus({ connection });
  bus.publish('s', 'x'.repeat(2 * 1024 ** 2));
  expect(bus.dropped).toBe(1);
  await expect(bus.request('s', 'x'.repeat(2 * 1024 ** 2))).rejects.toMatchObject({
    code: 'TOO_LARGE',
  });
  await connection.ping();
  await connection.close();
});
