import {
  AppError,
  type ConversationId,
  type Cursor,
  type Message,
  type MessagesPage,
  notFound,
  type UserId,
} from '@bambochat/protocol';
import type { DirectoryStore, MessageStore } from '@bambochat/stores';

export interface HistoryStores {
  messageStore: MessageStore;
  directoryStore: Pick<DirectoryStore, 'areMembers'>;
}

export interface PageRequest {
  conversationId: ConversationId;
  before?: Cursor | undefined;
  after?: Cursor | undefined;
  limit: number;
}

/**
 * One page, in rising `seq`; see {@link MessagesPage}.
 *
 * A page that reaches the end of the conversation never claims a `lastSeq` beyond what it shows,
 * even when a message is stored between the two reads: `hasMore: false` can be believed.
 *
 * @throws AppError `NOT_FOUND` for an absent conversation and for one the user is no member of,
 *   `VALIDATION` for a cursor that names no message of this conversation.
 */
export async function readPage(
  { messageStore, directoryStore }: HistoryStores,
  userId: UserId,
  request: PageRequest,
): Promise<MessagesPage> {
  const { conversationId, limit } = request;
  const [member] = await directoryStore.areMembers([{ conversationId, userId }]);
  if (member !== true) {
    throw notFound('Conversation');
  }
  const after = await resolveCursor(messageStore, conversationId, 'after', request.after);
  const before = await resolveCursor(messageStore, conversationId, 'before', request.before);
  // One more than asked for tells whether there are more.
  const range = {
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
  const found = await messageStore.page(conversationId, { ...range, limit: limit + 1 });
  const hasMore = found.length > limit;
  const messages = after === undefined ? found.slice(-limit) : found.slice(0, limit);
  const lastSeq = await lastSeqOf(messageStore, conversationId, { messages, hasMore, ...range });
  return { messages, hasMore, lastSeq };
}

async function resolveCursor(
  store: MessageStore,
  conversationId: ConversationId,
  field: 'after' | 'before',
  cursor: Cursor | undefined,
): Promise<number | undefined> {
  if (cursor === undefined || typeof cursor === 'number') {
    return cursor;
  }
  const seq = await store.seqOf(conversationId, cursor);
  if (seq === null) {
    throw new AppError('VALIDATION', `${field}: names no message of this conversation`);
  }
  return seq;
}

/** The newest `seq`, of the moment of the page where the page reaches the end. */
async function lastSeqOf(
  store: MessageStore,
  conversationId: ConversationId,
  page: { messages: readonly Message[]; hasMore: boolean; after?: number; before?: number },
): Promise<number> {
  const shown = page.messages.at(-1)?.seq;
  const reachesTheEnd = page.before === undefined && (page.after === undefined || !page.hasMore);
  if (reachesTheEnd && shown !== undefined) {
    return shown;
  }
  const last = (await store.lastOf([conversationId])).get(conversationId)?.seq ?? 0;
  if (reachesTheEnd) {
    // Nothing was newer than the cursor.
    return Math.min(last, page.after ?? 0);
  }
  return Math.max(last, shown ?? 0);
}
