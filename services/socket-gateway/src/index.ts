import type { Server as HttpServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { authExpired, authInvalid, type TokenVerifier } from '@bambochat/auth';
import { type CommandLog, createCommandBatcher, type EventBus } from '@bambochat/messaging';
import {
  type AppError,
  type ChatRequest,
  type ChatRequestsCommand,
  type GatewayId,
  REQUESTS_PER_COMMAND_MAX,
  toWireError,
} from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import {
  createAddressReader,
  type Logger,
  type Metrics,
  type Service,
  type Tracer,
} from '@bambochat/runtime';
import { Server } from 'socket.io';
import { createAdmission } from './admit-connection.ts';
import { announceMissedEvents } from './announce-missed-events.ts';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { GatewaySettings } from './config.ts';
import { createConversationRooms } from './conversation-rooms.ts';
import { countConnections } from './count-connections.ts';
import { createDirectoryClient } from './directory-client.ts';
import { type DrainPace, drainSockets } from './drain-sockets.ts';
import { createTokenExpiry } from './expire-tokens.ts';
import { followFriendEvents } from './follow-friend-events.ts';
import { followMemberships } from './follow-memberships.ts';
import { followSessions } from './follow-sessions.ts';
import { createGatewayMetrics, observeHoldings } from './gateway-metrics.ts';
import { createEventHandler, type EventDefinition } from './handle-event.ts';
import { joinConversation, leaveConversation } from './join-conversation.ts';
import { markRead } from './mark-read.ts';
import { observeLiveDelay } from './observe-live-delay.ts';
import { createRateLimits } from './rate-limits.ts';
import { BriskWebSocketServer, type Connection, releaseRequest } from './raw-web-socket.ts';
import { refreshToken } from './refresh-token.ts';
import { sendMessage } from './send-message.ts';
import { sendReaction } from './send-reaction.ts';
import { boundSendBuffers } from './slow-readers.ts';
import { createSubmitter } from './submit-request.ts';
import { createRequestTracing, traceDeliveries } from './trace-requests.ts';
import { trackPresence } from './track-presence.ts';
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
  /** Milliseconds that `drain` gives to what is in flight, and once more to farewells. */
  drainTimeout: number;
  /**
   * How clients are sent elsewhere: `delay` is the milliseconds in which it goes on as before.
   * Absent: there is no elsewhere, and all go at once.
   */
  drain?: DrainPace & { delay: number };
  logger: Logger;
  metrics: Metrics;
  /** Absent: nothing is traced. */
  tracer?: Tracer | undefined;
}

/** What polls are answered with is no page, and no part of one. */
const answerHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};
const RATE_LIMITED_USERS_MAX = 100_000;
/** Milliseconds that `drain` waits for presence-service to know that everybody left, at most. */
const DEPARTURE_TIMEOUT = 2000;
/** Milliseconds that clients which are sent away have to part, at most. */
const FAREWELL_TIMEOUT = 1500;
/** Of one partition: one that is being carried out, and one that follows without a pause. */
const COMMANDS_UNANSWERED_MAX = 2;
/** Milliseconds in which a connection must have passed its handshake. */
const CONNECT_TIMEOUT = 15_000;
/** Milliseconds without a byte after which HTTP connections are dropped; a long poll takes 25 s. */
const HTTP_IDLE_TIMEOUT = 60_000;

/** Handshake, rooms and typing; turns what members say, read and react to into commands. Holds nothing but connections. */
export function createSocketGateway(options: GatewayOptions): Service {
  const { httpServer, gatewayId, verifier, bus, rooms, settings, logger } = options;
  const metrics = createGatewayMetrics(options.metrics);
  const anyOrigin = settings.ALLOWED_ORIGINS.includes('*');
  let io: ChatServer | null = null;
  let drain = async () => {};
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
    const conversationRooms = createConversationRooms({
      rooms,
      directory,
      endSocket: (socket) => endSocket(socket, authInvalid()),
    });
    const tracing = options.tracer && createRequestTracing(options.tracer);
    const batcher = createCommandBatcher<ChatRequest>({
      log: options.commandLog,
      encode: (requests) => encodeCommand(gatewayId, requests),
      traceOf: tracing?.traceOf,
      maxItems: REQUESTS_PER_COMMAND_MAX,
      maxWaiting: settings.MAX_UNCONFIRMED,
      acceptTimeout: settings.ACCEPT_TIMEOUT,
      maxUnanswered: COMMANDS_UNANSWERED_MAX,
    });
    const unconfirmed = createUnconfirmedMessages({
      bus,
      gatewayId,
      metrics,
      logger,
      max: settings.MAX_UNCONFIRMED,
      maxWait: settings.CONFIRM_WAIT_MAX,
      onCommandAnswered: ({ conversationId }) => batcher.answered(conversationId),
      askAgain(request) {
        batcher.submit(request.conversationId, request).catch((error: unknown) => {
          logger.warn({ err: error }, 'overdue request could not be asked for');
        });
      },
    });
    const expiry = createTokenExpiry({
      expire: (socket) => endSocket(socket, authExpired()),
    });
    const connections = countConnections({
      max: settings.MAX_CONNECTIONS,
      maxPerAddress: settings.CONNECTIONS_PER_ADDRESS_MAX,
      addressOf: createAddressReader(settings.TRUST_PROXY),
    });
    const admission = createAdmission({
      settings,
      connections,
      verifier,
      limits,
      rooms: conversationRooms,
      metrics,
      logger,
    });
    const server: ChatServer = new Server(httpServer, {
      adapter: rooms.adapter,
      serveClient: false,
      maxHttpBufferSize: settings.MAX_PAYLOAD,
      cors: { origin: anyOrigin ? '*' : [...settings.ALLOWED_ORIGINS] },
      allowRequest: (request, callback) => admission.allowRequest(request, callback),
      connectTimeout: CONNECT_TIMEOUT,
      wsEngine: BriskWebSocketServer,
    });
    io = server;
    if (httpServer.timeout === 0) {
      httpServer.setTimeout(HTTP_IDLE_TIMEOUT);
    }
    const slowReaders = boundSendBuffers({
      server,
      max: settings.SEND_BUFFER_MAX,
      metrics,
      logger,
    });
    server.engine.on('headers', (headers: Record<string, string>) => {
      Object.assign(headers, answerHeaders);
    });
    server.engine.on('connection', (connection: Connection) => {
      connections.add(connection);
      slowReaders.watch(connection);
    });
    server.use((socket, next) => admission.admit(socket, next));

    const submit = createSubmitter({ batcher, unconfirmed, tracing, metrics, logger });
    const typing = createTyping({ server, interval: settings.TYPING_INTERVAL });
    const tracked = trackPresence({ server, bus, gatewayId, slowReaders, metrics, logger });
    const friendEvents = followFriendEvents({ server, bus, logger });
    const handle = createEventHandler({ limits, metrics, logger }, [
      sendMessage({ submit, typing, metrics }),
      markRead(submit),
      sendReaction({ bus, submit }),
      typing.definition,
      joinConversation(conversationRooms),
      leaveConversation(conversationRooms),
      refreshToken({ verifier, directory, expiry }),
    ] as unknown as EventDefinition<never>[]);
    function leave(this: ChatSocket, reason: string): void {
      metrics.disconnects.inc({ reason });
      tracked.leave(this);
      expiry.forget(this);
    }
    server.on('connection', (socket) => {
      metrics.connects.inc();
      releaseRequest(socket);
      expiry.watch(socket);
      socket.onAny(handle);
      tracked.arrive(socket);
      socket.on('disconnect', leave);
    });

    const sessions = followSessions({ bus, rooms: conversationRooms, logger });
    const memberships = followMemberships({ bus, rooms: conversationRooms, logger });
    const delays = observeLiveDelay(rooms, metrics);
    const deliveries = options.tracer && traceDeliveries(options.tracer, rooms);
    const missed = announceMissedEvents({ server, rooms, bus, directory, metrics, logger });
    observeHoldings(options.metrics, () => ({
      connections: server.engine.clientsCount,
      connectionsMax: settings.MAX_CONNECTIONS,
      handshakesWaiting: admission.waiting,
      bufferedBytes: slowReaders.bufferedBytes,
      unconfirmed: unconfirmed.size,
    }));

    drain = async () => {
      const { drainTimeout, drain: pace = { delay: 0, rate: 1, spread: 0 } } = options;
      await pause(pace.delay);
      admission.close();
      await drainSockets({
        connections: connections.all,
        isBusy: (connection) => unconfirmed.holds(connection) || slowReaders.hasBacklog(connection),
        pace,
        patience: drainTimeout / 2,
        farewell: Math.min(FAREWELL_TIMEOUT, drainTimeout / 2),
      });
      // What came until the last goodbye is in the command log before this process ends.
      await batcher.drain(drainTimeout / 2);
      await tracked.drain(Math.min(DEPARTURE_TIMEOUT, drainTimeout / 2));
    };
    stops.push(
      () => delays.unsubscribe(),
      () => deliveries?.unsubscribe(),
      () => sessions.unsubscribe(),
      () => memberships.stop(),
      () => friendEvents.unsubscribe(),
      () => tracked.stop(),
      () => missed.stop(),
      () => expiry.stop(),
      () => unconfirmed.stop(),
    );
  }

  return {
    async start() {
      start();
      await bus.flush();
    },
    drain: () => drain(),
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
function endSocket(socket: ChatSocket, reason: AppError): void {
  socket.emit('chat_error', { event: 'connection', ...toWireError(reason) });
  socket.disconnect(true);
}
