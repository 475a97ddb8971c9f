import { Agent, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { unavailable } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import { createProxyServer } from 'httpxy';
import { refuseConnection } from './edge-answers.ts';
import { setForwardedHeaders } from './forwarded-headers.ts';
import type { Target, TargetPool } from './target-pool.ts';

export interface UpgradeForwarder {
  /** Resolves when the connection is closed; never rejects. */
  forward(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    how: { pool: TargetPool; candidates: readonly Target[] },
  ): Promise<void>;
  /** Breaks all connections. */
  stop(): void;
}

/** Milliseconds for the TCP connection to a target. */
const CONNECT_TIMEOUT = 2000;
/** Milliseconds for a target to agree to the upgrade. */
const UPGRADE_TIMEOUT = 10_000;
/** Milliseconds that one side has to take what is left once the other is gone. */
const LINGER = 5000;
const ATTEMPTS_MAX = 3;

/**
 * WebSockets. The proxy gives up the client's connection when it cannot reach the target, so the
 * connection to a target is made first, with the next one tried in its place, and then handed over.
 */
export function createUpgradeForwarder({ logger }: { logger: Logger }): UpgradeForwarder {
  const proxy = createProxyServer();
  const open = new Set<Socket>();

  proxy.on('proxyReqWs', (outgoing, _request, socket) => {
    outgoing.once('upgrade', (_answer: IncomingMessage, upstream: Duplex) => {
      // An end is passed on by the pipes; what breaks in the middle is not.
      upstream.once('close', () => destroyLater(socket));
      socket.once('close', () => upstream.destroy());
    });
  });

  async function connectToFirst(
    pool: TargetPool,
    candidates: readonly Target[],
  ): Promise<{ target: Target; upstream: Socket } | null> {
    for (const target of candidates.slice(0, ATTEMPTS_MAX)) {
      try {
        return { target, upstream: await connectTo(target) };
      } catch (error) {
        if (pool.suspect(target)) {
          logger.warn({ err: error, target: target.name }, 'target cannot be reached');
        }
      }
    }
    return null;
  }

  return {
    async forward(request, socket, head, { pool, candidates }) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // A client that breaks off is nothing to report, and at no moment a reason to crash.
      socket.on('error', () => {});
      const connection = await connectToFirst(pool, candidates);
      if (connection === null) {
        refuseConnection(socket, unavailable('The service'));
        return;
      }
      const { target, upstream } = connection;
      if (socket.destroyed) {
        upstream.destroy();
        return;
      }
      setForwardedHeaders(request);
      try {
        await proxy.ws(
          request,
          socket,
          {
            target: target.url,
            agent: new ConnectedAgent(upstream),
            upgradeTimeout: UPGRADE_TIMEOUT,
          },
          head,
        );
      } catch (error) {
        if (!socket.destroyed && pool.suspect(target)) {
          logger.warn({ err: error, target: target.name }, 'target failed during an upgrade');
        }
        destroyLater(socket);
        upstream.destroy();
      }
    },
    stop() {
      for (const socket of open) {
        socket.destroy();
      }
    },
  };
}

/** Gives out one connection that is open already. */
class ConnectedAgent extends Agent {
  readonly #connection: Socket;

  constructor(connection: Socket) {
    super({ maxSockets: 1 });
    this.#connection = connection;
  }

  override createConnection(): Socket {
    return this.#connection;
  }
}

/** @throws Error when it is refused or takes too long. */
function connectTo(target: Target): Promise<Socket> {
  const { hostname, port } = new URL(target.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT} ms`)),
      CONNECT_TIMEOUT,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', reject);
      // It may break before the proxy has taken it over.
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Lets what is written already leave, for a while. */
function destroyLater(socket: Socket): void {
  if (socket.destroyed) {
    return;
  }
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
  socket.destroySoon();
}
