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
  /**
   * Sees every piece of a stream before it passes. True: neither it nor anything behind it on this
   * connection passes in this direction.
   */
  holds: (direction: Direction, bytes: Buffer) => boolean;
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
    /** In the order in which they came; `bytes` null: the end. */
    const waiting: { readonly bytes: Buffer | null; readonly due: number }[] = [];
    let inFlight = 0;
    let due = 0;
    let armed = false;

    // One timer at a time: several would not fire in the order of what they were set for.
    function deliver(): void {
      armed = false;
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        if (next.due > performance.now()) {
          arm(next.due);
          return;
        }
        waiting.shift();
        if (next.bytes === null) {
          to.destroy();
        } else {
          inFlight -= next.bytes.length;
          to.write(next.bytes);
          from.resume();
        }
      }
    }
    function arm(at: number): void {
      if (!armed) {
        armed = true;
        setTimeout(deliver, Math.max(0, at - performance.now()));
      }
    }
    function later(bytes: Buffer | null): void {
      waiting.push({ bytes, due });
      arm(due);
    }

    from.on('data', (bytes: Buffer) => {
      if (silenced.has(from)) {
        return;
      }
      if (proxy.holds(direction, bytes)) {
        silenced.add(from);
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
      later(bytes);
    });
    from.on('close', () => {
      sockets.delete(from);
      // What is on its way arrives first; who was silenced hears no goodbye.
      if (!silenced.has(from)) {
        later(null);
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
    holds: () => false,
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
