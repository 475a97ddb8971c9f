import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { unavailable } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import { createProxyServer } from 'httpxy';
import { answerRefusal } from './edge-answers.ts';
import { setForwardedHeaders } from './forwarded-headers.ts';
import type { Target, TargetPool } from './target-pool.ts';

export interface Forwarding {
  readonly pool: TargetPool;
  /** In the order in which they are tried. */
  readonly candidates: readonly Target[];
  /** Milliseconds of silence from the target after which the request fails. */
  readonly timeout: number;
  /** Whether the request may be sent a second time when the first attempt broke. */
  readonly repeatable: boolean;
  /** Sees the begin of the answer before the client does. */
  readonly onAnswer?: (answer: IncomingMessage, target: Target) => void;
}

export interface RequestForwarder {
  /** Resolves when the client has its answer or is gone; never rejects. */
  forward(request: IncomingMessage, response: ServerResponse, how: Forwarding): Promise<void>;
  stop(): void;
}

const ATTEMPTS_MAX = 3;
/** To each target. A long poll holds one for as long as it waits. */
const CONNECTIONS_MAX = 10_000;
const IDLE_CONNECTIONS_MAX = 64;

/** @param options.accepting false once the edge stops: clients are told to close their connection. */
export function createRequestForwarder(options: {
  logger: Logger;
  accepting: () => boolean;
}): RequestForwarder {
  const { logger, accepting } = options;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
  });
  const proxy = createProxyServer();
  const timedOut = new WeakSet<IncomingMessage>();
  const attempts = new WeakMap<IncomingMessage, (answer: IncomingMessage) => void>();

  proxy.on('proxyReq', (outgoing, request) => {
    outgoing.once('timeout', () => timedOut.add(request));
  });
  proxy.on('proxyRes', (answer, request, response) => {
    // How long a connection is kept is a matter of its two ends: the target's offer is not ours.
    delete answer.headers['keep-alive'];
    answer.headers.connection = accepting() && response.shouldKeepAlive ? 'keep-alive' : 'close';
    attempts.get(request)?.(answer);
  });

  async function attempt(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    how: Forwarding,
  ): Promise<unknown> {
    attempts.set(request, (answer) => how.onAnswer?.(answer, target));
    try {
      await proxy.web(request, response, {
        target: target.url,
        agent,
        proxyTimeout: how.timeout,
      });
      return null;
    } catch (error) {
      return error;
    } finally {
      attempts.delete(request);
    }
  }

  return {
    async forward(request, response, how) {
      setForwardedHeaders(request);
      // Ours is the other end of the client's connection; the agent decides about the target's.
      delete request.headers.connection;
      delete request.headers['keep-alive'];
      for (const target of attemptOrder(how)) {
        const error = await attempt(request, response, target, how);
        if (error === null || response.destroyed || request.socket.destroyed) {
          return;
        }
        if (how.pool.suspect(target)) {
          logger.warn({ err: error, target: target.name }, 'target failed to answer');
        }
        if (response.headersSent || timedOut.has(request)) {
          break;
        }
      }
      answerRefusal(response, unavailable('The service'));
    },
    stop() {
      agent.destroy();
    },
  };
}

/**
 * A lone target is tried again too: it may just have closed the idle connection that the request
 * went out on.
 */
function attemptOrder({ candidates, repeatable }: Forwarding): readonly Target[] {
  if (!repeatable) {
    return candidates.slice(0, 1);
  }
  return candidates.length === 1
    ? [...candidates, ...candidates]
    : candidates.slice(0, ATTEMPTS_MAX);
}
