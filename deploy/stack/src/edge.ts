import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, notFound } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import { boundBody, tooLarge } from './bound-body.ts';
import { answerJson, answerRefusal, refuseConnection } from './edge-answers.ts';
import { createRequestForwarder } from './forward-request.ts';
import { createUpgradeForwarder } from './forward-upgrade.ts';
import { mergedOpenApi } from './merged-openapi.ts';
import { routeOf } from './routes.ts';
import { createStickySessions, handshakeSid, requestedSid } from './sticky-sessions.ts';
import { createTargetPool, type Target } from './target-pool.ts';

export interface EdgeOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Who answers just now; asked anew for every request. */
  readonly targets: Readonly<
    Record<'gateways' | 'history' | 'directory' | 'web', () => readonly Target[]>
  >;
  /** What `/readyz` tells. */
  readonly readiness: () => Readiness;
  readonly logger: Logger;
  /** For tests. */
  readonly timeouts?: Partial<typeof defaultTimeouts>;
}

/** In the form in which services tell it. */
export interface Readiness {
  readonly ready: boolean;
  /** Each kind of service by name. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>;
  readonly draining: boolean;
}

export interface Edge {
  readonly url: string;
  /** No new connections; those that are open go on. */
  stopAccepting(): void;
  /** Breaks what is still open. */
  stop(): Promise<void>;
}

const CONNECTIONS_MAX = 20_000;
/** Bytes; what the REST services take. */
const REST_BODY_MAX = 64 * 1024;
/** Bytes; the most that a gateway can be configured to take. */
const POLLING_BODY_MAX = 1024 * 1024;
/** Milliseconds for a client to send a whole request. */
const REQUEST_TIMEOUT = 30_000;
/** Milliseconds an idle connection is kept: longer than what clients keep theirs. */
const IDLE_TIMEOUT = 75_000;
/** Milliseconds that a target may be silent. */
const defaultTimeouts = {
  /** A little more than the 15 s in which REST services answer themselves. */
  rest: 20_000,
  /** A gateway answers a handshake out of its own memory. */
  handshake: 10_000,
  /** Longer than a poll may wait for something to tell: Socket.IO's ping interval, 25 s. */
  poll: 60_000,
};
/** Bytes of a handshake's answer in which the session id must show up. */
const HANDSHAKE_PREFIX = 1024;

/**
 * One address for all services. Resolves when it listens.
 *
 * @throws Error of `node:net` when the port cannot be had.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { logger } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const gateways = createTargetPool(options.targets.gateways);
  const history = createTargetPool(options.targets.history);
  const directory = createTargetPool(options.targets.directory);
  const web = createTargetPool(options.targets.web);
  const sessions = createStickySessions();
  let accepting = true;
  const requests = createRequestForwarder({ logger, accepting: () => accepting });
  const upgrades = createUpgradeForwarder({ logger });

  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: IDLE_TIMEOUT },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        if (error instanceof AppError) {
          answerRefusal(response, error);
          return;
        }
        logger.error({ err: error }, 'edge failed to answer');
        answerRefusal(response, new AppError('INTERNAL', 'Internal error'));
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('upgrade', (request, socket, head) => {
    // On a plain HTTP server it is never anything else.
    void answerUpgrade(request, socket as Socket, head);
  });
  server.on('clientError', (_error, socket) =>
    refuseConnection(socket, new AppError('VALIDATION', 'The request is malformed')),
  );

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const repeatable = method === 'GET' || method === 'HEAD';
    const route = routeOf(method, url);
    boundBody(request, route === 'gateways' ? POLLING_BODY_MAX : REST_BODY_MAX, () => {
      response.setHeader('connection', 'close');
      response.once('finish', () => request.destroy());
      answerRefusal(response, tooLarge());
    });
    switch (route) {
      case 'gateways':
        return answerPolling(request, response, url);
      case 'history':
        return requests.forward(request, response, {
          pool: history,
          candidates: history.inOrder(),
          timeout: timeouts.rest,
          repeatable,
        });
      case 'directory':
        return requests.forward(request, response, {
          pool: directory,
          candidates: directory.inOrder(),
          timeout: timeouts.rest,
          repeatable,
        });
      case 'web':
        return requests.forward(request, response, {
          pool: web,
          candidates: web.inOrder(),
          timeout: timeouts.rest,
          repeatable,
        });
      case 'api-document':
        return answerJson(response, await mergedOpenApi([directory, history]));
      case 'health':
        return answerJson(response, { status: 'ok' });
      case 'readiness': {
        const readiness = options.readiness();
        response.statusCode = readiness.ready ? 200 : 503;
        return answerJson(response, readiness);
      }
      case 'nobody':
        throw notFound('Route');
    }
  }

  async function answerPolling(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
  ): Promise<void> {
    const sid = requestedSid(url);
    if (sid !== null) {
      // A poll takes what it is told out of the session: sent twice, it would lose something.
      return requests.forward(request, response, {
        pool: gateways,
        candidates: homeOf(sid),
        timeout: timeouts.poll,
        repeatable: false,
      });
    }
    // Compressed, the session id could not be read.
    delete request.headers['accept-encoding'];
    return requests.forward(request, response, {
      pool: gateways,
      candidates: gateways.inOrder(),
      timeout: timeouts.handshake,
      repeatable: request.method === 'GET',
      onAnswer: learnSession,
    });
  }

  /** Where the session lives; else anyone, who will say that it does not know the session. */
  function homeOf(sid: string): Target[] {
    const home = sessions.targetOf(sid);
    return home !== undefined && gateways.isAlive(home) ? [home] : gateways.inOrder().slice(0, 1);
  }

  function learnSession(handshake: IncomingMessage, target: Target): void {
    let begin = '';
    const read = (chunk: Buffer) => {
      begin += chunk.toString('latin1', 0, HANDSHAKE_PREFIX);
      const sid = handshakeSid(begin);
      if (sid !== null) {
        sessions.learn(sid, target);
      }
      if (sid !== null || begin.length >= HANDSHAKE_PREFIX) {
        handshake.off('data', read);
      }
    };
    handshake.on('data', read);
  }

  async function answerUpgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    if (routeOf(method, url) !== 'gateways') {
      socket.on('error', () => {});
      refuseConnection(socket, notFound('Route'));
      return;
    }
    const sid = requestedSid(url);
    await upgrades.forward(request, socket, head, {
      pool: gateways,
      candidates: sid === null ? gateways.inOrder() : homeOf(sid),
    });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the edge listens on no port');
  }
  const closed = new Promise<void>((resolve) => server.once('close', resolve));

  function stopAccepting(): void {
    if (accepting) {
      accepting = false;
      server.close();
    }
  }

  return {
    url: `http://${options.host}:${address.port}`,
    stopAccepting,
    async stop() {
      stopAccepting();
      upgrades.stop();
      server.closeAllConnections();
      await closed;
      requests.stop();
    },
  };
}
