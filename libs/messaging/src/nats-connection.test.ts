import { freePort, startBackends } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { connectNats } from './nats-connection.ts';

test('no server: an error that names the address without its credentials and what to do', async () => {
  const port = await freePort();
  const failure = connectNats({
    url: `nats://somebody:secret@127.0.0.1:${port}`,
    name: 'test',
    connectTimeout: 300,
  });
  await expect(failure).rejects.toThrow(
    `No NATS server could be reached at nats://127.0.0.1:${port} within 300 ms`,
  );
  await expect(failure).rejects.not.toThrow(/secret|somebody/);
  await expect(failure).rejects.toThrow(/nats-server -js/);
});

test('a server that comes up late is awaited, a closed connection says so', async () => {
  await using backends = await startBackends({ names: ['nats'], own: true });
  await backends.nats.kill();
  const connecting = connectNats({ url: backends.nats.url, name: 'test' });
  await backends.nats.restart();
  const connection = await connecting;
  expect(connection.isConnected()).toBe(true);
  await connection.ping();
  await connection.drain();
  expect(await connection.closed).toBeUndefined();
  expect(connection.isConnected()).toBe(false);
  await expect(connection.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await connection.drain();
});
