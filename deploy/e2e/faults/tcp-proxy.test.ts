import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.ts';

async function startEcho() {
  const ends: Socket[] = [];
  const echo = createServer((socket) => {
    ends.push(socket);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as { port: number };
  const proxy = await startTcpProxy({ host: '127.0.0.1', port });
  return {
    proxy,
    ends,
    async open() {
      const client = connect({ host: '127.0.0.1', port: proxy.port });
      await once(client, 'connect');
      const heard: string[] = [];
      client.setEncoding('utf8').on('data', (text: string) => heard.push(text));
      return { client, heard: () => heard.join('') };
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      for (const end of ends) {
        end.destroy();
      }
      echo.close();
    },
  };
}

test('answers come late by the delay, whole and in order, also when it is shortened', async () => {
  await using it = await startEcho();
  const { proxy } = it;
  const { client, heard } = await it.open();
  client.write('at once,');
  await waitFor(() => heard() === 'at once,');
  expect(proxy.delayed).toBe(0);

  proxy.delayOf = (direction) => (direction === 'answer' ? 300 : 0);
  const began = performance.now();
  client.write('late,');
  await waitFor(() => proxy.delayed > 0);
  proxy.delayOf = () => 0;
  client.write('behind it');
  await waitFor(() => heard() === 'at once,late,behind it');
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  expect(proxy.delayed).toBe(1);
  client.destroy();
});

test('whatever the delays, pieces arrive in the order in which they were sent', async () => {
  await using it = await startEcho();
  const { client, heard } = await it.open();
  it.proxy.delayOf = () => Math.random() * 20;
  const sent = Array.from({ length: 300 }, (_, index) => `${index},`);
  for (const piece of sent) {
    client.write(piece);
    // Each a piece of its own, at a time of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await waitFor(() => heard().length >= sent.join('').length);
  expect(heard()).toBe(sent.join(''));
  client.destroy();
});

test('silenced connections stay open at both ends and carry nothing; new ones live', async () => {
  await using it = await startEcho();
  const old = await it.open();
  old.client.write('before');
  await waitFor(() => old.heard() === 'before');
  it.proxy.silence();
  old.client.write('lost');
  it.ends[0]?.write('lost, too');
  const young = await it.open();
  young.client.write('young');
  await waitFor(() => young.heard() === 'young');
  expect([old.heard(), old.client.destroyed, it.ends[0]?.destroyed]).toEqual([
    'before',
    false,
    false,
  ]);
  // Who gives up is not told on: the other end finds out by itself.
  old.client.destroy();
  young.client.write(' still');
  await waitFor(() => young.heard() === 'young still');
  expect(it.ends[0]?.destroyed).toBe(false);
});

test('what is held does not pass, nor what is behind it; the other direction goes on', async () => {
  await using it = await startEcho();
  const { client, heard } = await it.open();
  client.write('before');
  await waitFor(() => heard() === 'before');
  const seen: string[] = [];
  it.proxy.holds = (direction, bytes) => {
    seen.push(`${direction} ${bytes}`);
    return direction === 'request' && bytes.includes('secret');
  };
  client.write('a secret');
  await waitFor(() => seen.length === 1);
  client.write('behind it');
  it.ends[0]?.write(', and from there');
  await waitFor(() => heard() === 'before, and from there');
  expect(seen).toEqual(['request a secret', 'answer , and from there']);
  client.destroy();
});

test('who ends a connection ends it at the other end, too', async () => {
  await using it = await startEcho();
  const { client } = await it.open();
  client.write('x');
  await waitFor(() => it.ends.length === 1);
  client.destroy();
  await waitFor(() => it.ends[0]?.destroyed === true && it.proxy.connections === 0);
});
