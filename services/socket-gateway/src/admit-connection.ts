import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { TokenVerifier } from '@bambochat/auth';
import { AppError, isTransient, toWireError } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import { createAdmissionQueue } from './admission-queue.ts';
import { authenticateSocket, refusal } from './authenticate-socket.ts';
import type { ChatSocket } from './chat-socket.ts';
import type { GatewaySettings } from './config.ts';
import type { ConversationRooms } from './conversation-rooms.ts';
import type { Connections } from './count-connections.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { RateLimits } from './rate-limits.ts';
import { sendAway } from './raw-web-socket.ts';

export interface Admission {
  /** Before any work: whether a request may become a connection. For Engine.IO's `allowRequest`. */
  allowRequest(
    request: IncomingMessage,
    callback: (reason: string | null | undefined, allowed: boolean) => void,
  ): void;
  /** The handshake of Socket.IO, as its middleware. */
  admit(socket: ChatSocket, next: (error?: Error) => void): void;
  /** Handshakes that wait for their turn. */
  readonly waiting: number;
  /** From now on nobody. */
  close(): void;
}

/** Milliseconds that a handshake waits for its turn and for a directory that does not answer. */
const PATIENCE = 5000;
/** Milliseconds between two questions to a directory that does not answer; half of it is jitter. */
const RETRY_AFTER = 300;

/**
 * Who may connect, and how fast: a handshake asks the directory, so only so many do at a time, so
 * many more wait, and all others are refused before they have become a connection.
 *
 * A stock client gives up after a `connect_error` of the middleware, and comes back by itself when
 * the transport fails. So the middleware refuses only what trying again would not help; in all
 * other cases the transport is closed. A refused request is better still: then a client's delays
 * grow, while each transport that opened resets them.
 */
export function createAdmission(options: {
  settings: GatewaySettings;
  connections: Connections;
  verifier: TokenVerifier;
  limits: RateLimits;
  rooms: Pick<ConversationRooms, 'enter' | 'forget' | 'socketsOf'>;
  metrics: GatewayMetrics;
  logger: Logger;
}): Admission {
  const { settings, connections, verifier, limits, rooms, metrics, logger } = options;
  const anyOrigin = settings.ALLOWED_ORIGINS.includes('*');
  const queue = createAdmissionQueue({
    atOnce: settings.HANDSHAKES_AT_ONCE,
    maxWaiting: settings.HANDSHAKES_WAITING,
  });
  let open = true;

  function reasonToRefuse(request: IncomingMessage): string | null {
    const { origin } = request.headers;
    if (!open) {
      return 'draining';
    }
    if (!anyOrigin && origin !== undefined && !settings.ALLOWED_ORIGINS.includes(origin)) {
      return 'origin not allowed';
    }
    return connections.refusal(request) ?? (queue.full ? 'too many handshakes' : null);
  }

  function identify(socket: ChatSocket): void {
    authenticateSocket(socket, verifier);
    const { userId } = socket.data;
    if (!limits.take(userId, 'connect')) {
      throw new AppError('RATE_LIMITED', 'Too many connections, slow down');
    }
  }

  /** In its turn, puts the socket into its rooms. False when it waited in vain, or is gone. */
  async function enterRooms(socket: ChatSocket, signal: AbortSignal): Promise<boolean> {
    while (await queue.enter(signal)) {
      try {
        if (signal.aborted) {
          return false;
        }
        // Here, with no wait before the rooms count it.
        if (rooms.socketsOf(socket.data.userId) >= settings.CONNECTIONS_PER_USER_MAX) {
          throw new AppError('RATE_LIMITED', 'Too many connections of this user');
        }
        await rooms.enter(socket);
        return true;
      } catch (error) {
        if (!isTransient(error)) {
          throw error;
        }
        metrics.handshakeRetries.inc();
      } finally {
        queue.leave();
      }
      await pause(RETRY_AFTER * (0.5 + Math.random()), null, { signal }).catch(() => {});
    }
    return false;
  }

  /** A function of its own: nothing of the waiting is kept for as long as the connection lives. */
  async function waitForRooms(socket: ChatSocket): Promise<boolean> {
    const patience = new AbortController();
    const giveUp = () => patience.abort();
    const timer = setTimeout(giveUp, PATIENCE);
    // Who is gone takes up no place.
    socket.conn.on('close', giveUp);
    try {
      return await enterRooms(socket, patience.signal);
    } finally {
      clearTimeout(timer);
      socket.conn.off('close', giveUp);
    }
  }

  async function admitted(socket: ChatSocket): Promise<boolean> {
    identify(socket);
    const forget = () => {
      socket.conn.off('close', forget);
      rooms.forget(socket);
    };
    // Gone while it waits, Socket.IO drops it without an event of its own.
    socket.conn.on('close', forget);
    socket.on('disconnect', forget);
    let entered = false;
    try {
      entered = await waitForRooms(socket);
    } finally {
      if (!entered) {
        forget();
      }
    }
    return entered;
  }

  return {
    allowRequest(request, callback) {
      const reason = reasonToRefuse(request);
      if (reason !== null) {
        metrics.requestRefusals.inc({ reason });
      }
      callback(reason, reason === null);
    },
    admit(socket, next) {
      const observe = metrics.handshakeDuration.startTimer();
      admitted(socket).then(
        (entered) => {
          if (entered) {
            observe();
          }
          if (!entered && socket.conn.readyState === 'open') {
            metrics.refusals.inc({ code: 'UNAVAILABLE' });
            // Socket.IO forgets the socket when it is told after the connection has closed.
            socket.conn.once('close', () => next());
            sendAway(socket.conn);
          } else {
            next();
          }
        },
        (error: unknown) => {
          metrics.refusals.inc({ code: toWireError(error).code });
          if (!(error instanceof AppError)) {
            logger.error({ err: error }, 'handshake failed');
          }
          next(refusal(error));
        },
      );
    },
    get waiting() {
      return queue.waiting;
    },
    close() {
      open = false;
    },
  };
}
