import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { startLatencyProxy } from './latency-proxy.ts';

test('answers come late by the delay, whole and in order, also when it is shortened', async () => {
  const echo = createServer((socket) => socket.pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as { port: number };
  await using proxy = await startLatencyProxy({ host: '127.0.0.1', port });
  const client = connect({ host: '127.0.0.1', port: proxy.port });
  await once(client, 'connect');
  let heard = '';
  client.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  client.write('at once,');
  await waitFor(() => heard === 'at once,');
  expect(proxy.delayed).toBe(0);

  proxy.delay = 300;
  const began = performance.now();
  client.write('late,');
  await waitFor(() => proxy.delayed > 0);
  proxy.delay = 0;
  client.write('behind it');
  await waitFor(() => heard === 'at once,late,behind it');
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  expect(proxy.delayed).toBe(5);
  client.destroy();
  echo.close();
});
