import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@bambochat/testing';
import { Server, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { expect, test, vi } from 'vitest';
import type { ChatSocket } from './chat-socket.ts';
import { inOneWrite, rawWebSocketOf } from './raw-web-socket.ts';

/** A stock client, its socket here and what it heard. */
async function connected(transport: 'websocket' | 'polling') {
  const http = createServer();
  const server = new Server(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const client = io(`http://127.0.0.1:${port}`, { transports: [transport], forceNew: true });
  const heard: string[] = [];
  client.onAny((event: string) => heard.push(event));
  const [socket] = (await once(server, 'connection')) as [Socket];
  await waitFor(() => client.connected && socket.conn.transport.writable);
  return {
    socket,
    heard,
    connection: socket.conn as unknown as ChatSocket['conn'],
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await server.close();
    },
  };
}

test('two events for one socket go out in one write, in order', async () => {
  await using one = await connected('websocket');
  const tcp = rawWebSocketOf(one.connection)?._socket;
  if (tcp == null) {
    throw new Error('there is no WebSocket');
  }
  const writes = [vi.spyOn(tcp, '_write'), vi.spyOn(tcp, '_writev' as '_write')];
  inOneWrite(one.connection, () => {
    one.socket.emit('first');
    one.socket.emit('second');
  });
  await waitFor(() => one.heard.length === 2);
  expect(one.heard).toEqual(['first', 'second']);
  expect(writes.flatMap(({ mock }) => mock.calls)).toHaveLength(1);
});

test('what is emitted while the transport is busy keeps its place', async () => {
  await using one = await connected('websocket');
  one.socket.emit('before');
  inOneWrite(one.connection, () => one.socket.emit('within'));
  one.socket.emit('after');
  await waitFor(() => one.heard.length === 3);
  expect(one.heard).toEqual(['before', 'within', 'after']);
});

test('long-polling hears it too', async () => {
  await using one = await connected('polling');
  inOneWrite(one.connection, () => {
    one.socket.emit('first');
    one.socket.emit('second');
  });
  await waitFor(() => one.heard.length === 2);
  expect(one.heard).toEqual(['first', 'second']);
});

test('an emit that throws leaves the connection as it was', async () => {
  await using one = await connected('websocket');
  expect(() =>
    inOneWrite(one.connection, () => {
      one.socket.emit('first');
      throw new Error('on purpose');
    }),
  ).toThrow('on purpose');
  one.socket.emit('second');
  await waitFor(() => one.heard.length === 2);
});
