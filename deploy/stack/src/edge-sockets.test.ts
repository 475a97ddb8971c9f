import { once } from 'node:events';
import { connect } from 'node:net';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  type Client,
  comesToRest,
  connectClient,
  deadTarget,
  fakeGateway,
  fakeTarget,
  testEdge,
} from './edge-fixture.ts';

async function connectSeveral(
  url: string,
  transports: ('polling' | 'websocket')[],
  count: number,
): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectClient(url, transports)));
}

describe('sockets through the edge', () => {
  it.each([[['polling' as const]], [['websocket' as const]]])(
    'spreads %s clients over the gateways and keeps each where it is',
    async (transports) => {
      await using one = await fakeGateway('one');
      await using two = await fakeGateway('two');
      await using edge = await testEdge({ gateways: [one, two] });
      const clients = await connectSeveral(edge.url, transports, 6);
      const names = await Promise.all(clients.map(async (client) => (await client.where()).name));
      expect(names.filter((name) => name === 'one')).toHaveLength(3);
      for (let round = 0; round < 5; round += 1) {
        const again = await Promise.all(clients.map(async (client) => (await client.where()).name));
        expect(again).toEqual(names);
      }
      for (const client of clients) {
        client[Symbol.dispose]();
      }
    },
  );

  it('upgrades a polling session on its own gateway', async () => {
    await using one = await fakeGateway('one');
    await using two = await fakeGateway('two');
    await using edge = await testEdge({ gateways: [one, two] });
    const clients = await connectSeveral(edge.url, ['polling', 'websocket'], 4);
    await waitFor(() =>
      clients.every(({ socket }) => socket.io.engine.transport.name === 'websocket'),
    );
    const long = 'x'.repeat(100_000);
    for (const client of clients) {
      expect(await client.echo(long)).toBe(long);
    }
    expect(one.io.engine.clientsCount).toBe(2);
    for (const client of clients) {
      client[Symbol.dispose]();
    }
  });

  it('tells gateways who the client is', async () => {
    await using gateway = await fakeGateway('one');
    await using edge = await testEdge({ gateways: [gateway] });
    for (const transport of ['polling', 'websocket'] as const) {
      using client = await connectClient(edge.url, [transport]);
      expect((await client.where()).forwardedFor).toBe('127.0.0.1');
    }
  });

  it('connects to the next gateway when one is dead', async () => {
    await using alive = await fakeGateway('alive');
    await using edge = await testEdge({ gateways: [await deadTarget('dead'), alive] });
    for (const transport of ['websocket', 'polling'] as const) {
      const clients = await connectSeveral(edge.url, [transport], 3);
      for (const client of clients) {
        expect((await client.where()).name).toBe('alive');
        client[Symbol.dispose]();
      }
    }
  });

  it('refuses with UNAVAILABLE when no gateway is left', async () => {
    await using edge = await testEdge({ gateways: [] });
    const answer = await fetch(`${edge.url}/socket.io/?EIO=4&transport=polling`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'UNAVAILABLE', status: 503 });
    expect(await upgradeBy(edge.url, '/socket.io/?EIO=4&transport=websocket')).toMatch(
      /^HTTP\/1\.1 503 .*"code":"UNAVAILABLE"/s,
    );
  });

  it('lets a client reconnect elsewhere when its gateway goes', async () => {
    const gateways = [await fakeGateway('one'), await fakeGateway('two')];
    const alive = [...gateways];
    await using edge = await testEdge({ gateways: alive });
    for (const transport of ['websocket', 'polling'] as const) {
      using client = await connectClient(edge.url, [transport]);
      client.socket.io.reconnection(true);
      client.socket.io.reconnectionDelay(10);
      const { name } = await client.where();
      const home = gateways.find((gateway) => gateway.name === name);
      const again = happens(client.socket.io, 'reconnect');
      for (const socket of home?.connections ?? []) {
        socket.destroy();
      }
      alive.splice(0, alive.length, ...gateways.filter((gateway) => gateway !== home));
      await again;
      expect((await client.where()).name).not.toBe(name);
      alive.splice(0, alive.length, ...gateways);
    }
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  it('lets a gateway say that it does not know a session', async () => {
    await using gateway = await fakeGateway('one');
    await using edge = await testEdge({ gateways: [gateway] });
    const answer = await fetch(`${edge.url}/socket.io/?EIO=4&transport=polling&sid=unknown`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ code: 1, message: 'Session ID unknown' });
    expect(await upgradeBy(edge.url, '/socket.io/?EIO=4&transport=websocket&sid=x')).toMatch(
      /^HTTP\/1\.1 400 .*Session ID unknown/s,
    );
  });

  it('answers an upgrade elsewhere with NOT_FOUND', async () => {
    await using gateway = await fakeGateway('one');
    await using edge = await testEdge({ gateways: [gateway] });
    expect(await upgradeBy(edge.url, '/messages')).toMatch(/^HTTP\/1\.1 404 .*NOT_FOUND/s);
  });

  it('passes on that one side is gone, however it went', async () => {
    await using gateway = await fakeGateway('one');
    await using edge = await testEdge({ gateways: [gateway] });

    const polite = await connectClient(edge.url, ['websocket']);
    polite.socket.disconnect();
    await waitFor(() => gateway.connections.size === 0);

    const { hostname, port } = new URL(edge.url);
    const rude = connect(Number(port), hostname);
    rude.write(upgradeRequest('/socket.io/?EIO=4&transport=websocket'));
    await once(rude, 'data');
    expect(gateway.connections.size).toBe(1);
    rude.resetAndDestroy();
    await waitFor(() => gateway.connections.size === 0);

    using client = await connectClient(edge.url, ['websocket']);
    const left = happens(client.socket, 'disconnect');
    for (const socket of gateway.connections) {
      socket.resetAndDestroy();
    }
    expect(await left).toBe('transport close');
  });

  it('lets go of a client that keeps its side open when the gateway has gone', async () => {
    await using gateway = await fakeGateway('one');
    await using edge = await testEdge({ gateways: [gateway] });
    const { hostname, port } = new URL(edge.url);
    const client = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    client.on('error', () => {});
    client.write(upgradeRequest('/socket.io/?EIO=4&transport=websocket'));
    await once(client, 'data');
    client.resume();
    for (const socket of gateway.connections) {
      socket.destroy();
    }
    // Who writes to a connection that the other end has let go of is told so.
    await waitFor(() => {
      client.write('x');
      return client.destroyed;
    });
  });

  it('lets go of a client that breaks off while the gateway makes up its mind', async () => {
    await using undecided = await fakeTarget('undecided');
    undecided.server.on('upgrade', (_request, socket) => {
      // Does not answer, but hears the end.
      socket
        .resume()
        .on('error', () => {})
        .on('end', () => socket.end());
    });
    await using edge = await testEdge({ gateways: [undecided] });
    const { hostname, port } = new URL(edge.url);
    const client = connect(Number(port), hostname);
    client.write(upgradeRequest('/socket.io/?EIO=4&transport=websocket'));
    await waitFor(() => undecided.connections.size === 1);
    client.resetAndDestroy();
    await waitFor(() => undecided.connections.size === 0);
  });

  it('holds a busy gateway back while a client is slow', async () => {
    await using flood = await fakeTarget('flood');
    const total = 64 * 1024 * 1024;
    let written = 0;
    flood.server.on('upgrade', (_request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      );
      const chunk = Buffer.alloc(1024 * 1024);
      const fill = () => {
        while (written < total) {
          written += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', fill);
            return;
          }
        }
      };
      socket.on('error', () => {});
      fill();
    });
    await using edge = await testEdge({ gateways: [flood] });
    const { hostname, port } = new URL(edge.url);
    const slow = connect(Number(port), hostname).pause();
    slow.write(upgradeRequest('/socket.io/?EIO=4&transport=websocket'));
    await comesToRest(() => written);
    expect(written).toBeLessThan(total / 2);
    slow.destroy();
    await waitFor(() => flood.connections.size === 0);
  });

  it('breaks open connections when it stops', async () => {
    await using gateway = await fakeGateway('one');
    const edge = await testEdge({ gateways: [gateway] });
    const clients = await connectSeveral(edge.url, ['websocket'], 2);
    const poller = await connectClient(edge.url, ['polling']);
    const left = [...clients, poller].map(({ socket }) => happens(socket, 'disconnect'));
    await edge.stop();
    await Promise.all(left);
    await waitFor(() => gateway.connections.size === 0);
  });
});

/** Like `once` of `node:events`, which does not take the emitters of socket.io-client. */
function happens(
  emitter: { once(event: never, listener: (value: unknown) => void): unknown },
  event: string,
): Promise<unknown> {
  return new Promise((resolve) => emitter.once(event as never, resolve));
}

function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'host: edge',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');
}

/** The whole answer to an upgrade that is refused. */
async function upgradeBy(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  let text = '';
  socket.on('data', (data: string) => {
    text += data;
  });
  socket.write(upgradeRequest(path));
  await once(socket, 'close');
  return text;
}
