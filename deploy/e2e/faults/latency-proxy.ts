import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Bytes on their way in one direction of one connection; beyond, the sender is read no more. */
const IN_FLIGHT_MAX = 8 * 1024 * 1024;

/** A TCP proxy on 127.0.0.1 in front of one address, whose answers come late. */
export interface LatencyProxy extends AsyncDisposable {
  readonly port: number;
  /** Milliseconds that every byte of an answer takes longer, from now on; order is kept. */
  delay: number;
  /** Bytes that were delayed. */
  readonly delayed: number;
}

export async function startLatencyProxy(target: {
  host: string;
  port: number;
}): Promise<LatencyProxy> {
  const sockets = new Set<Socket>();
  let delay = 0;
  let delayed = 0;

  const server: Server = createServer((client) => {
    const upstream = dial(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    let inFlight = 0;
    let due = 0;
    upstream.on('data', (bytes: Buffer) => {
      // Never before what came earlier, though the delay was shortened meanwhile.
      due = Math.max(due, performance.now() + delay);
      delayed += delay > 0 ? bytes.length : 0;
      inFlight += bytes.length;
      if (inFlight > IN_FLIGHT_MAX) {
        upstream.pause();
      }
      setTimeout(
        () => {
          inFlight -= bytes.length;
          client.write(bytes);
          upstream.resume();
        },
        Math.max(0, due - performance.now()),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The proxy listens on no port');
  }
  return {
    port: address.port,
    get delay() {
      return delay;
    },
    set delay(milliseconds) {
      delay = milliseconds;
    },
    get delayed() {
      return delayed;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
