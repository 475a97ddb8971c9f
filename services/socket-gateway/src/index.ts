import type { Server as HttpServer } from 'node:http';
import { authExpired, type TokenVerifier } from '@bambochat/auth';
import { type CommandLog, createCommandBatcher, type EventBus } from '@bambochat/messaging';
import {
  AppError,
  type ChatRequest,
  type ChatRequestsCommand,
  type GatewayId,
  REQUESTS_PER_COMMAND_MAX,
  toWireError,
} from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import type { Logger, Metrics, Service } from '@bambochat/runtime';
import { Server } from 'socket.io';
import { announceMissedEvents } from './announce-missed-events.ts';
import { authenticateSocket, refusal } from './authenticate-socket.ts';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { GatewaySettings } from './config.ts';
import { createConversationRooms } from './conversation-rooms.ts';
import { createDirectoryClient } from './directory-client.ts';
import { createTokenExpiry } from './expire-tokens.ts';
import { followFriendEvents } from './follow-friend-events.ts';
import { followMemberships } from './follow-memberships.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { handleEvent } from './handle-event.ts';
import { joinConversation, leaveConversation } from './join-conversation.ts';
import { markRead } from './mark-read.ts';
import { createRateLimits } from './rate-limits.ts';
import { refreshToken } from './refresh-token.ts';
import { sendMessage } from './send-message.ts';
import { sendReaction } from './send-reaction.ts';
import { createSubmitter } from './submit-request.ts';
import { type Presence, trackPresence } from './track-presence.ts';
import { createTyping } from './typing.ts';
import { createUnconfirmedMessages } from './unconfirmed-messages.ts';

export { type GatewaySettings, gatewayConfig } from './config.ts';

export interface GatewayOptions {
  /** Listens already or will; the gateway answers `/socket.io` on it. */
  httpServer: HttpServer;
  /** Unique among all gateways that run at the same time. */
  gatewayId: GatewayId;
  verifier: TokenVerifier;
  commandLog: CommandLog;
  bus: EventBus;
  rooms: Rooms;
  settings: GatewaySettings;
  /** Milliseconds that `drain` waits for messages in flight. */
  drainTimeout: number;
  logger: Logger;
  metrics: Metrics;
}

const RATE_LIMITED_USERS_MAX = 100_000;
/** Milliseconds that `drain` waits for presence-service to know that everybody left. */
const DEPARTURE_TIMEOUT = 2000;

/** Handshake, rooms and typing; turns what members say, read and react to into commands. Holds nothing but connections. */
export function createSocketGateway(options: GatewayOptions): Service {
  const { httpServer, gatewayId, verifier, bus, rooms, settings, logger } = options;
  const metrics = createGatewayMetrics(options.metrics);
  const anyOrigin = settings.ALLOWED_ORIGINS.includes('*');
  let accepting = true;
  let io: ChatServer | null = null;
  let drainWork = async () => {};
  let presence: Presence | null = null;
  const stops: (() => void)[] = [];

  function start(): void {
    const limits = createRateLimits({
      rates: {
        connect: { rate: settings.CONNECT_RATE, burst: settings.CONNECT_BURST },
        message: { rate: settings.MESSAGE_RATE, burst: settings.MESSAGE_BURST },
        typing: { rate: settings.TYPING_RATE, burst: settings.TYPING_BURST },
        request: { rate: settings.REQUEST_RATE, burst: settings.REQUEST_BURST },
      },
      maxUsers: RATE_LIMITED_USERS_MAX,
    });
    const directory = createDirectoryClient(bus);
    const conversationRooms = createConversationRooms({ rooms, directory });
    const batcher = createCommandBatcher<ChatRequest>({
      log: options.commandLog,
      encode: (requests) => encodeCommand(gatewayId, requests),
      maxItems: REQUESTS_PER_COMMAND_MAX,
      maxWaiting: settings.MAX_UNCONFIRMED,
      acceptTimeout: settings.ACCEPT_TIMEOUT,
    });
    const unconfirmed = createUnconfirmedMessages({
      bus,
      gatewayId,
      max: settings.MAX_UNCONFIRMED,
      askAgain(request) {
        batcher.submit(request.conversationId, request).catch((error: unknown) => {
          logger.warn({ err: error }, 'overdue request could not be asked for');
        });
      },
    });
    const expiry = createTokenExpiry({ expire: endExpired });
    const server: ChatServer = new Server(httpServer, {
      adapter: rooms.adapter,
      serveClient: false,
      maxHttpBufferSize: settings.MAX_PAYLOAD,
      cors: { origin: anyOrigin ? '*' : [...settings.ALLOWED_ORIGINS] },
      allowRequest(request, callback) {
        const { origin } = request.headers;
        const known =
          anyOrigin || origin === undefined || settings.ALLOWED_ORIGINS.includes(origin);
        callback(
          accepting ? (known ? null : 'origin not allowed') : 'draining',
          accepting && known,
        );
      },
    });
    io = server;

    server.use((socket, next) => {
      admit(socket).then(
        () => next(),
        (error: unknown) => {
          metrics.refusals.inc({ code: toWireError(error).code });
          if (!(error instanceof AppError)) {
            logger.error({ err: error }, 'handshake failed');
          }
          next(refusal(error));
        },
      );
    });

    async function admit(socket: ChatSocket): Promise<void> {
      authenticateSocket(socket, verifier);
      if (!limits.take(socket.data.userId, 'connect')) {
        throw new AppError('RATE_LIMITED', 'Too many connections, slow down');
      }
      const forget = () => {
        socket.conn.off('close', forget);
        conversationRooms.forget(socket);
      };
      // Gone while it waits, Socket.IO drops it without an event of its own.
      socket.conn.on('close', forget);
      socket.on('disconnect', forget);
      try {
        await conversationRooms.enter(socket);
      } catch (error) {
        forget();
        throw error;
      }
    }

    const submit = createSubmitter({ batcher, unconfirmed, logger });
    const typing = createTyping({ server, interval: settings.TYPING_INTERVAL });
    const tracked = trackPresence({ server, bus, gatewayId, metrics, logger });
    presence = tracked;
    const friendEvents = followFriendEvents({ server, bus, logger });
    const definitions = [
      sendMessage({ submit, typing, metrics }),
      markRead(submit),
      sendReaction({ bus, submit }),
      typing.definition,
      joinConversation(conversationRooms),
      leaveConversation(conversationRooms),
      refreshToken({ verifier, expiry }),
    ] as const;
    server.on('connection', (socket) => {
      metrics.connects.inc();
      expiry.watch(socket);
      for (const definition of definitions) {
        handleEvent({ limits, metrics, logger }, socket, definition as never);
      }
      tracked.arrive(socket);
      socket.on('disconnect', (reason) => {
        metrics.disconnects.inc({ reason });
        tracked.leave(socket);
        expiry.forget(socket);
      });
    });

    const memberships = followMemberships({ bus, rooms: conversationRooms, logger });
    const missed = announceMissedEvents({ server, rooms, bus, directory, metrics, logger });
    const gauges = setInterval(() => {
      metrics.connections.set(server.engine.clientsCount);
      metrics.unconfirmed.set(unconfirmed.size);
    }, 1000);
    gauges.unref();

    drainWork = async () => {
      await batcher.drain(options.drainTimeout);
      await unconfirmed.drain(options.drainTimeout);
    };
    stops.push(
      () => memberships.stop(),
      () => friendEvents.unsubscribe(),
      () => tracked.stop(),
      () => missed.stop(),
      () => expiry.stop(),
      () => unconfirmed.stop(),
      () => clearInterval(gauges),
    );
  }

  return {
    async start() {
      start();
      await bus.flush();
    },
    async drain() {
      accepting = false;
      await drainWork();
      // Closing the transport lets clients reconnect elsewhere; a disconnect packet would not.
      for (const socket of io?.of('/').sockets.values() ?? []) {
        socket.conn.close();
      }
      await presence?.drain(DEPARTURE_TIMEOUT);
    },
    async stop() {
      for (const stop of stops) {
        stop();
      }
      await io?.close();
    },
  };
}

function encodeCommand(gatewayId: GatewayId, requests: ChatRequest[]): Uint8Array {
  const command: ChatRequestsCommand = { type: 'chat_requests', gatewayId, requests };
  return new TextEncoder().encode(JSON.stringify(command));
}

/** Tells why, then ends the connection for good: the client needs a new token before it returns. */
function endExpired(socket: ChatSocket): void {
  socket.emit('chat_error', { event: 'connection', ...toWireError(authExpired()) });
  socket.disconnect(true);
}
