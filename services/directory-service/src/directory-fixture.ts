import { randomBytes } from 'node:crypto';
import { createTokenIssuer, createTokenVerifier, type IssuerConfig } from '@bambochat/auth';
import type { EventBus } from '@bambochat/messaging';
import {
  type ClientMessageId,
  type Conversation,
  type ConversationId,
  type FriendEvent,
  friendEventSchema,
  type MembersChanged,
  type Message,
  type MessageId,
  membersChangedSchema,
  type StatusChange,
  statusChangesSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { createRestApp, type RestApp } from '@bambochat/rest';
import { createHealth, createLogger, createMetrics } from '@bambochat/runtime';
import type {
  DirectoryStore,
  FriendStore,
  MessageStore,
  StatusStore,
  SyncStore,
} from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { createDirectoryService, type DirectoryServiceOptions } from './index.ts';

/** What a deployment is made of; several services may be started on one. */
export interface Engines {
  directoryStore: DirectoryStore;
  messageStore: MessageStore;
  friendStore: FriendStore;
  statusStore: StatusStore;
  syncStore: SyncStore;
  /** A bus of its own for each service, as in separate processes. */
  bus: () => EventBus;
}

const authConfig: IssuerConfig = {
  JWT_ALGORITHM: 'HS256',
  JWT_SECRET: 'a-secret-of-this-test-with-48-bytes-0123456789ab',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
  ACCESS_TOKEN_TTL: 60_000,
  REFRESH_TOKEN_TTL: 3_600_000,
};

export const issuer = createTokenIssuer(authConfig);
export const verifier = createTokenVerifier(authConfig);
export const expiredIssuer = createTokenIssuer(authConfig, () => Date.now() - 86_400_000);

export interface Answer {
  status: number;
  body: Record<string, unknown> & { message: string; code: string };
  headers: Record<string, unknown>;
}

export interface DirectoryFixture extends AsyncDisposable {
  app: RestApp;
  bus: EventBus;
  /** Announcements so far. */
  announced: MembersChanged[];
  /** Events for sockets so far. */
  friendEvents: FriendEvent[];
  /** Statuses that were shown or hidden so far. */
  statusChanges: StatusChange[];
  /** Until everything that this service has published is in the lists. */
  allHeard(): Promise<void>;
  /** @param as whose token goes along */
  request(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    options?: { as?: UserId; payload?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** An account in the store, without the cost of a hash. */
  addUser(prefix?: string): Promise<UserId>;
  openGroup(admin: UserId, ...others: UserId[]): Promise<Conversation>;
  openDirect(from: UserId, to: UserId): Promise<{ status: number; conversation: Conversation }>;
  list(as: UserId): Promise<Conversation[]>;
  say(conversationId: ConversationId, senderId: UserId, content: string): Promise<Message>;
}

/** Until the clock shows another millisecond: times that are compared must differ. */
export async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  await waitFor(() => Date.now() > now, { interval: 1 });
}

/** Hashes that cost little: what is tested is which and how many, not how long. */
const CHEAP_SCRYPT_COST = 4;

export async function startDirectory(
  engines: Engines,
  overrides: {
    settings?: Partial<DirectoryServiceOptions['settings']>;
    deriveKey?: DirectoryServiceOptions['deriveKey'];
    bus?: EventBus;
    directoryStore?: DirectoryStore;
    friendStore?: FriendStore;
    statusStore?: StatusStore;
    syncStore?: SyncStore;
  } = {},
): Promise<DirectoryFixture> {
  const logger = createLogger({ name: 'directory-test', level: 'silent' });
  const metrics = createMetrics({ processMetrics: false });
  const { messageStore } = engines;
  const directoryStore = overrides.directoryStore ?? engines.directoryStore;
  const bus = overrides.bus ?? engines.bus();
  const app = await createRestApp({
    title: 'Directory',
    description: 'For tests',
    logger,
    health: createHealth(),
    metrics,
    verifier,
    trustProxy: 'loopback',
  });
  const service = createDirectoryService({
    app,
    directoryStore,
    messageStore,
    friendStore: overrides.friendStore ?? engines.friendStore,
    statusStore: overrides.statusStore ?? engines.statusStore,
    syncStore: overrides.syncStore ?? engines.syncStore,
    bus,
    issuer,
    verifier,
    settings: {
      PASSWORD_SCRYPT_COST: CHEAP_SCRYPT_COST,
      AUTH_REQUESTS_PER_ADDRESS: 1_000_000,
      LOGIN_FAILURES_PER_ACCOUNT: 1_000_000,
      AUTH_LIMIT_WINDOW: 600_000,
      CONVERSATIONS_PER_USER_MAX: 10_000,
      FRIENDS_PER_USER_MAX: 1000,
      BLOCKS_PER_USER_MAX: 1000,
      ...overrides.settings,
    },
    logger,
    metrics,
    ...(overrides.deriveKey === undefined ? {} : { deriveKey: overrides.deriveKey }),
  });
  await service.start();

  const announced: MembersChanged[] = [];
  const friendEvents: FriendEvent[] = [];
  const statusChanges: StatusChange[] = [];
  const markersHeard = new Set<unknown>();
  const markers = `test.markers.${randomBytes(6).toString('hex')}`;
  const listening = engines.bus();
  const subscriptions = [
    listening.subscribe(subjects.membersChanged, (payload) => {
      announced.push(membersChangedSchema.parse(payload));
    }),
    listening.subscribe(subjects.friendEvents, (payload) => {
      friendEvents.push(friendEventSchema.parse(payload));
    }),
    listening.subscribe(subjects.statusChanges, (payload) => {
      statusChanges.push(...statusChangesSchema.parse(payload).changes);
    }),
    listening.subscribe(markers, (payload) => markersHeard.add(payload)),
  ];
  await listening.flush();

  const fixture: DirectoryFixture = {
    app,
    bus,
    announced,
    friendEvents,
    statusChanges,
    async allHeard() {
      // One connection to the other: what was published before arrives before.
      const marker = randomBytes(6).toString('hex');
      bus.publish(markers, marker);
      await waitFor(() => markersHeard.has(marker), { interval: 2, describe: 'the marker' });
    },
    async request(method, url, options = {}) {
      const token =
        options.as && issuer.issueAccess({ userId: options.as, sessionId: 'none' }).token;
      const answer = await app.inject({
        method,
        url,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(options.payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(options.payload === undefined
          ? {}
          : {
              payload:
                typeof options.payload === 'string'
                  ? options.payload
                  : JSON.stringify(options.payload),
            }),
      });
      return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
    },
    async addUser(prefix = 'user') {
      const _id = `${prefix}-${randomBytes(6).toString('hex')}` as UserId;
      await engines.directoryStore.createAccount({
        _id,
        email: `${_id}@example.org`,
        passwordHash: '',
        displayName: `Name of ${_id}`,
        bio: 'a bio',
        avatar: null,
        isVerified: false,
        createdAt: new Date().toISOString(),
      });
      return _id;
    },
    async openGroup(admin, ...others) {
      const { body } = await fixture.request('POST', '/api/conversations', {
        as: admin,
        payload: { type: 'group', name: 'A group', participantIds: [admin, ...others] },
      });
      return body.conversation as Conversation;
    },
    async openDirect(from, to) {
      const { status, body } = await fixture.request('POST', '/api/conversations', {
        as: from,
        payload: { type: 'direct_message', participantIds: [to] },
      });
      return { status, conversation: body.conversation as Conversation };
    },
    async list(as) {
      const { body } = await fixture.request('GET', '/api/conversations', { as });
      return body as unknown as Conversation[];
    },
    async say(conversationId, senderId, content) {
      const last = (await messageStore.lastOf([conversationId])).get(conversationId);
      const message: Message = {
        _id: uuidv7() as MessageId,
        conversationId,
        seq: (last?.seq ?? 0) + 1,
        senderId,
        content,
        clientMessageId: uuidv7() as ClientMessageId,
        reactions: [],
        createdAt: new Date().toISOString(),
      };
      await messageStore.insert([message]);
      return message;
    },
    async [Symbol.asyncDispose]() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      await service.drain();
      await service.stop();
      await app.close();
    },
  };
  return fixture;
}
