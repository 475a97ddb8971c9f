import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenIssuer, createTokenVerifier } from '@bambochat/auth';
import type {
  ClientMessageId,
  ConversationId,
  Message,
  MessageId,
  MessagesPage,
  ReactionType,
  RestError,
  SyncAnswer,
  UserId,
} from '@bambochat/protocol';
import { createRestApp } from '@bambochat/rest';
import { createHealth, createLogger, createMetrics } from '@bambochat/runtime';
import type { DirectoryStore, MessageStore, SyncStore } from '@bambochat/stores';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect } from 'vitest';
import { createHistoryService } from './index.ts';

export interface Stores {
  messageStore: MessageStore;
  directoryStore: DirectoryStore;
  syncStore: SyncStore;
}
export type OpenStores = () => Promise<Stores & { close(): Promise<void> }>;
export type History = Awaited<ReturnType<typeof serve>>;

const authSettings = {
  JWT_ALGORITHM: 'HS256' as const,
  JWT_SECRET: 'a secret of the history tests, 32 bytes and more',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
};

/** Real SQLite in a folder that goes with it. */
export function temporaryStores() {
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-history-'));
  const stores = openSqliteStores({ path: join(folder, 'chat.sqlite') });
  return {
    ...stores,
    async close() {
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The service, and those who write: what the other services do, done at the stores. */
export async function serve(stores: Stores, served: Stores = stores) {
  const app = await createRestApp({
    title: 'History',
    description: 'Test',
    logger: createLogger({ name: 'test', level: 'silent' }),
    health: createHealth(),
    metrics: createMetrics({ processMetrics: false }),
    verifier: createTokenVerifier(authSettings),
  });
  await createHistoryService({ app, ...served }).start();
  const issuer = createTokenIssuer({
    ...authSettings,
    ACCESS_TOKEN_TTL: 60_000,
    REFRESH_TOKEN_TTL: 60_000,
  });
  const { messageStore, directoryStore, syncStore } = stores;
  const now = () => new Date().toISOString();
  const member = (conversationId: ConversationId, userId: string, readSeq = 0) => ({
    conversationId,
    userId: userId as UserId,
    role: 'member' as const,
    joinedAt: now(),
    readSeq,
  });

  async function get<Body>(url: string, userId = 'alice') {
    const { token } = issuer.issueAccess({ userId: userId as UserId, sessionId: uuidv7() });
    const answer = await app.inject({ url, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: answer.json() as Body };
  }

  async function group(...members: string[]): Promise<ConversationId> {
    const _id = uuidv7() as ConversationId;
    await directoryStore.createGroup(
      { _id, type: 'group', name: null, createdAt: now(), updatedAt: now() },
      members.map((userId) => member(_id, userId)),
    );
    return _id;
  }

  async function sync(userId: string, since?: string, limit?: number): Promise<SyncAnswer> {
    const query = new URLSearchParams({
      ...(since === undefined ? {} : { since }),
      ...(limit === undefined ? {} : { limit: String(limit) }),
    });
    const { status, body } = await get<SyncAnswer>(`/sync?${query}`, userId);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }

  return {
    app,
    get,
    group,
    /** Messages behind those that are there. */
    async say(conversationId: ConversationId, senderId: string, count = 1): Promise<Message[]> {
      const last = (await messageStore.lastOf([conversationId])).get(conversationId)?.seq ?? 0;
      const messages = Array.from({ length: count }, (_, index) => ({
        _id: uuidv7() as MessageId,
        conversationId,
        seq: last + index + 1,
        senderId: senderId as UserId,
        content: `message ${last + index + 1}`,
        clientMessageId: uuidv7() as ClientMessageId,
        reactions: [],
        createdAt: now(),
      }));
      for (let from = 0; from < count; from += 1000) {
        await messageStore.insert(messages.slice(from, from + 1000));
      }
      return messages;
    },
    async mark({ conversationId, seq }: Message, userId: string): Promise<void> {
      await directoryStore.markRead(conversationId, userId as UserId, seq);
      await syncStore.appendChanges(conversationId, [{ kind: 'read', userId: userId as UserId }]);
    },
    async react(message: Message, userId: string, type: ReactionType = 'like'): Promise<void> {
      const { conversationId, _id: messageId, seq } = message;
      const step = { userId: userId as UserId, type, requestId: uuidv7() };
      await messageStore.react(conversationId, messageId, step);
      await syncStore.appendChanges(conversationId, [{ kind: 'reaction', messageId, seq }]);
    },
    async add(conversationId: ConversationId, userId: string, readSeq = 0): Promise<void> {
      await directoryStore.addParticipants([member(conversationId, userId, readSeq)]);
      await syncStore.appendChanges(conversationId, [{ kind: 'member', userId: userId as UserId }]);
    },
    async remove(conversationId: ConversationId, userId: string): Promise<void> {
      await directoryStore.removeParticipant(conversationId, userId as UserId);
      await syncStore.appendChanges(conversationId, [{ kind: 'member', userId: userId as UserId }]);
    },
    /** One answer. */
    sync,
    /** Pages until there is no more. */
    async syncAll(userId: string, since?: string, limit?: number) {
      const answers: SyncAnswer[] = [];
      let token = since;
      do {
        answers.push(await sync(userId, token, limit));
        token = answers.at(-1)?.token;
      } while (answers.at(-1)?.hasMore);
      return { answers, token: token ?? '' };
    },
    refusal: (userId: string, since: string) =>
      get<RestError>(`/sync?since=${encodeURIComponent(since)}`, userId),
    close: () => app.close(),
  };
}

/** Opens stores and serves them for all tests of the `describe` in which it is called. */
export function shareHistory(
  open: OpenStores,
  opened: (shared: { stores: Stores; history: History }) => void,
): void {
  let stores: Awaited<ReturnType<OpenStores>> | undefined;
  let history: History | undefined;
  beforeAll(async () => {
    stores = await open();
    history = await serve(stores);
    opened({ stores, history });
  });
  afterAll(async () => {
    await history?.close();
    await stores?.close();
  });
}

let people = 0;

/** Names that no other test has, for tests that share their stores. */
export function newUsers(): [string, string, string] {
  people += 1;
  return [`alice-${people}`, `bob-${people}`, `carol-${people}`];
}

export const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);

/** What an answer tells of one conversation. */
export const byId = ({ conversations }: SyncAnswer, id: ConversationId) =>
  conversations.find(({ conversationId }) => conversationId === id);

/** The service on real SQLite, with a conversation of alice's that holds `count` messages. */
export async function startHistory(count: number) {
  const stores = temporaryStores();
  const served = await serve(stores);
  async function conversation(member: string, messages: number): Promise<ConversationId> {
    const conversationId = await served.group(member);
    await served.say(conversationId, member, messages);
    return conversationId;
  }
  const conversationId = await conversation('alice', count);
  return {
    ...served,
    conversationId,
    conversation,
    page: (query: string, userId?: string) =>
      served.get<MessagesPage>(`/messages?conversationId=${conversationId}${query}`, userId),
    async [Symbol.asyncDispose]() {
      await served.close();
      await stores.close();
    },
  };
}
