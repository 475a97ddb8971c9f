import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/*
 * Ports below the range from which operating systems take the local end of outgoing connections
 * (Linux: 32768 and up). A port inside that range can be taken by anybody's outgoing connection
 * while a killed server is down, and a client that keeps reconnecting to it may even connect to
 * itself; the server could then not come back on its own port.
 */
const lowest = 10_000;
const highest = 32_000;
const attempts = 50;

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. Somebody else may take it before it is used,
 * so a caller that starts a server with it must be ready to try another one.
 *
 * @throws Error when 50 random ports in a row are taken.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isPortFree(port)) {
      return port;
    }
  }
  throw new Error(`${attempts} random ports between ${lowest} and ${highest} are all taken`);
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
