import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  ClientMessageId,
  ConversationId,
  Message,
  MessageRequest,
  ReactionRequest,
  ReactionType,
  ReadRequest,
  UserId,
} from '@bambochat/protocol';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { uuidv7 } from 'uuidv7';

/** Real SQLite stores in a folder that goes with them. */
export function temporaryStores() {
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-message-service-'));
  const stores = openSqliteStores({ path: join(folder, 'chat.sqlite') });
  return {
    ...stores,
    async [Symbol.asyncDispose]() {
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function newConversationId(): ConversationId {
  return uuidv7() as ConversationId;
}

let refs = 0;

export function request(
  conversationId: ConversationId,
  overrides: Partial<MessageRequest> = {},
): MessageRequest {
  refs += 1;
  return {
    kind: 'message',
    conversationId,
    senderId: 'alice' as UserId,
    content: `message ${refs}`,
    clientMessageId: uuidv7() as ClientMessageId,
    socketId: 'socket-of-alice',
    ref: String(refs),
    ...overrides,
  };
}

export function mark(
  { conversationId, _id: messageId }: Pick<Message, 'conversationId' | '_id'>,
  userId: string,
): ReadRequest {
  refs += 1;
  return { kind: 'read', conversationId, messageId, userId: userId as UserId, ref: String(refs) };
}

export function reaction(
  { conversationId, _id: messageId }: Pick<Message, 'conversationId' | '_id'>,
  userId: string,
  reactionType: ReactionType = 'like',
): ReactionRequest {
  refs += 1;
  return {
    kind: 'reaction',
    conversationId,
    messageId,
    userId: userId as UserId,
    reactionType,
    requestId: uuidv7(),
    ref: String(refs),
  };
}
