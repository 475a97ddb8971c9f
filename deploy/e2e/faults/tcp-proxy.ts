import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Bytes on their way in one direction of one connection; beyond, the sender is read no more. */
const IN_FLIGHT_MAX = 8 * 1024 * 1024;

export type Direction = 'request' | 'answer';

/** A TCP proxy on 127.0.0.1 in front of one address that can be a bad network. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * Milliseconds that a piece of a stream takes longer, asked for each piece. The order of a
   * connection is kept, so a late piece holds up those behind it, as a lost packet does.
   */
  delayOf: (direction: Direction) => number;
  /** Pieces that were delayed. */
  readonly delayed: number;
  /** Connections that are there. */
  readonly connections: number;
  /** From now on nothing passes on those that are there, and neither end is told; new ones live. */
  silence(): void;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const silenced = new WeakSet<Socket>();
  let delayed = 0;

  const server: Server = createServer((client) => {
    const upstream = dial(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
    }
    forward(client, upstream, 'request');
    forward(upstream, client, 'answer');
  });

  function forward(from: Socket, to: Socket, direction: Direction): void {
    let inFlight = 0;
    let due = 0;
    const later = (act: () => void) => {
      setTimeout(act, Math.max(0, due - performance.now()));
    };
    from.on('data', (bytes: Buffer) => {
      if (silenced.has(from)) {
        return;
      }
      const delay = proxy.delayOf(direction);
      delayed += Number(delay > 0);
      // Never before what came earlier, though it was given a longer delay.
      due = Math.max(due, performance.now() + delay);
      inFlight += bytes.length;
      if (inFlight > IN_FLIGHT_MAX) {
        from.pause();
      }
      later(() => {
        inFlight -= bytes.length;
        to.write(bytes);
        from.resume();
      });
    });
    from.on('close', () => {
      sockets.delete(from);
      // What is on its way arrives first; who was silenced hears no goodbye.
      if (!silenced.has(from)) {
        later(() => to.destroy());
      }
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The proxy listens on no port');
  }
  const proxy: TcpProxy = {
    port: address.port,
    delayOf: () => 0,
    get delayed() {
      return delayed;
    },
    get connections() {
      return sockets.size / 2;
    },
    silence() {
      for (const socket of sockets) {
        silenced.add(socket);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
