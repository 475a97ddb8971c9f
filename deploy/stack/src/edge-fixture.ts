import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createLogger } from '@bambochat/runtime';
import { waitFor } from '@bambochat/testing';
import { Server as SocketServer } from 'socket.io';
import { type Socket as ClientSocket, io } from 'socket.io-client';
import { type Edge, type EdgeOptions, startEdge } from './edge.ts';
import type { Target } from './target-pool.ts';

export interface FakeTarget extends Target, AsyncDisposable {
  readonly server: Server;
  /** Open connections. */
  readonly connections: ReadonlySet<Socket>;
  stop(): Promise<void>;
}

/** A service that answers as `listener` says. */
export async function fakeTarget(name: string, listener?: RequestListener): Promise<FakeTarget> {
  const server = createServer(
    listener ??
      ((request, response) => {
        response.end(JSON.stringify({ name, url: request.url, headers: request.headers }));
      }),
  );
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of connections) {
      socket.destroy();
    }
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    server,
    connections,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A gateway with nothing but Socket.IO: tells its name and the forwarded address, and echoes. */
export async function fakeGateway(name: string): Promise<FakeTarget & { io: SocketServer }> {
  const target = await fakeTarget(name, (_request, response) => response.writeHead(404).end());
  const server = new SocketServer(target.server, { serveClient: false });
  server.on('connection', (socket) => {
    socket.on('where', (answer: (where: unknown) => void) => {
      answer({ name, forwardedFor: socket.handshake.headers['x-forwarded-for'] });
    });
    socket.on('echo', (text: unknown, answer: (text: unknown) => void) => answer(text));
  });
  const stop = async () => {
    server.disconnectSockets(true);
    await target.stop();
  };
  return { ...target, io: server, stop, [Symbol.asyncDispose]: stop };
}

/** A target that nobody listens at any more. */
export async function deadTarget(name: string): Promise<Target> {
  const target = await fakeTarget(name);
  await target.stop();
  return { name, url: target.url };
}

export interface TestEdge extends Edge, AsyncDisposable {
  /** Lines that the edge has logged. */
  readonly logged: string[];
}

export async function testEdge(
  targets: { gateways?: Target[]; history?: Target[]; directory?: Target[]; web?: Target[] },
  options: Pick<EdgeOptions, 'timeouts'> = {},
): Promise<TestEdge> {
  const logged: string[] = [];
  const edge = await startEdge({
    host: '127.0.0.1',
    port: 0,
    targets: {
      gateways: () => targets.gateways ?? [],
      history: () => targets.history ?? [],
      directory: () => targets.directory ?? [],
      web: () => targets.web ?? [],
    },
    readiness: () => ({
      ready: (targets.gateways ?? []).length > 0,
      checks: { gateways: (targets.gateways ?? []).length > 0 ? 'ok' : 'failed' },
      draining: false,
    }),
    logger: createLogger({
      name: 'stack',
      level: 'info',
      stream: { write: (line) => void logged.push(line) },
    }),
    ...options,
  });
  return { ...edge, logged, [Symbol.asyncDispose]: () => edge.stop() };
}

export interface Client extends Disposable {
  readonly socket: ClientSocket;
  /** Which gateway it is connected to. */
  where(): Promise<{ name: string; forwardedFor: unknown }>;
  echo<T>(value: T): Promise<T>;
}

/** A stock client that is connected. @throws the `connect_error`. */
export async function connectClient(
  url: string,
  transports: ('polling' | 'websocket')[],
): Promise<Client> {
  const socket = io(url, { transports, reconnection: false, forceNew: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  return {
    socket,
    where: () => socket.timeout(5000).emitWithAck('where'),
    echo: (value) => socket.timeout(5000).emitWithAck('echo', value),
    [Symbol.dispose]: () => socket.disconnect(),
  };
}

/** A request whose target is sent as it stands, which `fetch` would tidy up. */
export function rawRequest(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; answer: IncomingMessage }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, path, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body, answer }));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** Resolves when a number has begun to grow and stands still: the writer waits for the reader. */
export async function comesToRest(measure: () => number): Promise<void> {
  let before = -1;
  await waitFor(
    () => {
      const now = measure();
      const still = now > 0 && now === before;
      before = now;
      return still;
    },
    { interval: 200, describe: 'the flow to come to rest' },
  );
}
