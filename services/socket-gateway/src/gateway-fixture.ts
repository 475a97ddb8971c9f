import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTokenIssuer, createTokenVerifier } from '@bambochat/auth';
import { createMemoryCommandLog, createMemoryEventBus } from '@bambochat/messaging/memory';
import {
  activityRequestSchema,
  type ChatRequest,
  type ChatResult,
  type ConversationActivity,
  type ConversationId,
  chatRequestsCommandSchema,
  conversationOfRequestSchema,
  conversationsOfRequestSchema,
  type GatewayId,
  headRequestSchema,
  type Message,
  type MessageId,
  type MessageRequest,
  notFound,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { createLogger, createMetrics } from '@bambochat/runtime';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { uuidv7 } from 'uuidv7';
import { createSocketGateway, type GatewayOptions, type GatewaySettings } from './index.ts';
import { playPresence } from './presence-fixture.ts';

const authSettings = {
  JWT_ALGORITHM: 'HS256' as const,
  JWT_SECRET: 'a secret of the gateway tests, 32 bytes and more',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
};

const generous: GatewaySettings = {
  CONNECT_RATE: 1000,
  CONNECT_BURST: 1000,
  MESSAGE_RATE: 1000,
  MESSAGE_BURST: 1000,
  TYPING_RATE: 1000,
  TYPING_BURST: 1000,
  TYPING_INTERVAL: 0,
  REQUEST_RATE: 1000,
  REQUEST_BURST: 1000,
  MAX_PAYLOAD: 65_536,
  MAX_UNCONFIRMED: 1000,
  CONFIRM_WAIT_MAX: 1000,
  ACCEPT_TIMEOUT: 5000,
  ALLOWED_ORIGINS: ['*'],
  MAX_CONNECTIONS: 1000,
  CONNECTIONS_PER_ADDRESS_MAX: 1000,
  CONNECTIONS_PER_USER_MAX: 1000,
  HANDSHAKES_AT_ONCE: 64,
  HANDSHAKES_WAITING: 1000,
  SEND_BUFFER_MAX: 1_048_576,
};

/**
 * A gateway on a real port with the memory log, bus and rooms. The services behind it are played
 * by this fixture: a directory whose memberships the test sets, a message-service that answers
 * every command as the test says, and a presence-service.
 */
export async function startGateway(
  settings: Partial<GatewaySettings> = {},
  overrides: Partial<GatewayOptions> = {},
  /** What the played services use; the gateway's own may be wrapped around it. */
  bus = createMemoryEventBus(),
) {
  const commandLog = createMemoryCommandLog({ partitions: 4 });
  const rooms = overrides.rooms ?? createMemoryRooms();
  const presence = playPresence(bus);
  const metrics = createMetrics({ processMetrics: false });
  const httpServer = createServer();
  const memberships = new Map<string, ConversationId[]>();
  /** Login sessions that the directory knows to have ended. */
  const ended = new Set<string>();
  const directory = {
    reads: 0,
    headReads: 0,
    beforeAnswer: async (_userId: UserId) => {},
    beforeHead: async () => {},
    /** How many conversations each question about activity named. */
    activityReads: [] as number[],
    beforeActivity: async () => {},
    activity: new Map<ConversationId, Omit<ConversationActivity, 'conversationId'>>(),
  };
  const handled: MessageRequest[] = [];
  /** Marks and reactions. */
  const handledOthers: Exclude<ChatRequest, MessageRequest>[] = [];
  /** Where messages are that reactions name. */
  const conversationsOfMessages = new Map<string, ConversationId>();
  const questions = { asked: 0, beforeAnswer: async (_messageId: MessageId) => {} };
  let answer = (requests: ChatRequest[]): ChatResult[] =>
    requests.map((request, index) => {
      const { ref } = request;
      if (request.kind === 'message') {
        return { ref, message: messageOf(request, index + 1) };
      }
      return request.kind === 'read'
        ? { ref, unread: 3 }
        : { ref, reactions: [{ userId: request.userId, type: request.reactionType }] };
    });

  bus.respond(
    subjects.conversationsOf,
    async (payload) => {
      const { userId, sessionIds = [] } = conversationsOfRequestSchema.parse(payload);
      directory.reads += 1;
      const conversationIds = memberships.get(userId) ?? [];
      await directory.beforeAnswer(userId);
      return { conversationIds, endedSessions: sessionIds.filter((id) => ended.has(id)) };
    },
    { queue: 'directory' },
  );
  bus.respond(
    subjects.head,
    async (payload) => {
      const { userId, conversationId } = headRequestSchema.parse(payload);
      directory.headReads += 1;
      await directory.beforeHead();
      if (memberships.get(userId)?.includes(conversationId) !== true) {
        throw notFound('Conversation');
      }
      return { lastSeq: 7 };
    },
    { queue: 'directory' },
  );
  bus.respond(
    subjects.activity,
    async (payload) => {
      const { conversationIds } = activityRequestSchema.parse(payload);
      directory.activityReads.push(conversationIds.length);
      await directory.beforeActivity();
      return {
        conversations: conversationIds.flatMap((conversationId) => {
          const activity = directory.activity.get(conversationId);
          return activity === undefined ? [] : [{ conversationId, ...activity }];
        }),
      };
    },
    { queue: 'directory' },
  );
  bus.respond(
    subjects.conversationOf,
    async (payload) => {
      const { messageId } = conversationOfRequestSchema.parse(payload);
      questions.asked += 1;
      await questions.beforeAnswer(messageId);
      const conversationId = conversationsOfMessages.get(messageId);
      if (conversationId === undefined) {
        throw notFound('Message');
      }
      return { conversationId };
    },
    { queue: 'message-service', concurrency: 10_000 },
  );
  const consumer = await commandLog.consume(async ({ command }) => {
    const decoded = chatRequestsCommandSchema.parse(JSON.parse(new TextDecoder().decode(command)));
    for (const request of decoded.requests) {
      if (request.kind === 'message') {
        handled.push(request);
      } else {
        handledOthers.push(request);
      }
    }
    const results = answer(decoded.requests);
    if (results.length > 0) {
      bus.publish(subjects.chatResults(decoded.gatewayId), { results });
    }
  });

  const gateway = createSocketGateway({
    httpServer,
    gatewayId: 'gateway-1' as GatewayId,
    verifier: createTokenVerifier(authSettings),
    commandLog,
    bus,
    rooms,
    settings: { ...generous, ...settings },
    drainTimeout: 2000,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics,
    ...overrides,
  });
  await gateway.start();
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  const clients: Socket[] = [];

  function token(userId: string, lifetime = 60_000, sessionId: string = uuidv7()): string {
    return createTokenIssuer({
      ...authSettings,
      ACCESS_TOKEN_TTL: lifetime,
      REFRESH_TOKEN_TTL: lifetime,
    }).issueAccess({ userId: userId as UserId, sessionId }).token;
  }

  function open(options: Partial<ManagerOptions & SocketOptions>): Socket {
    const client = io(url, { forceNew: true, transports: ['websocket'], ...options });
    clients.push(client);
    return client;
  }

  return {
    url,
    bus,
    rooms,
    presence,
    commandLog,
    metrics,
    gateway,
    memberships,
    ended,
    directory,
    handled,
    handledOthers,
    conversationsOfMessages,
    questions,
    token,
    open,
    answerWith(next: typeof answer) {
      answer = next;
    },
    /** Connects a stock client; resolves when it is connected. */
    async connect(userId: string, options: Partial<ManagerOptions & SocketOptions> = {}) {
      const client = open({ auth: { token: token(userId) }, ...options });
      await new Promise<void>((resolve, reject) => {
        client.once('connect', resolve);
        client.once('connect_error', reject);
      });
      return client;
    },
    /** Resolves with the refusal. */
    refusalOf(options: Partial<ManagerOptions & SocketOptions>) {
      const client = open({ reconnection: false, ...options });
      return new Promise<Error & { data?: { code: string } }>((resolve, reject) => {
        client.once('connect_error', resolve);
        client.once('connect', () => reject(new Error('the handshake was accepted')));
      });
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) {
        client.disconnect();
      }
      await gateway.drain();
      await gateway.stop();
      await consumer.stop(1000);
      await rooms.stop();
      httpServer.close();
    },
  };
}

export function newConversationId(): ConversationId {
  return uuidv7() as ConversationId;
}

export function messageOf(request: MessageRequest, seq: number): Message {
  return {
    _id: uuidv7() as MessageId,
    conversationId: request.conversationId,
    seq,
    senderId: request.senderId,
    content: request.content,
    clientMessageId: request.clientMessageId,
    reactions: [],
    createdAt: new Date().toISOString(),
  };
}

/** Everything that a client hears of one event, in order. */
export function heard<Payload = unknown>(client: Socket, event: string): Payload[] {
  const payloads: Payload[] = [];
  client.on(event, (payload: Payload) => payloads.push(payload));
  return payloads;
}
