import type { ConversationId, UserId } from '@bambochat/protocol';
import type {
  DirectoryStore,
  HeadPosition,
  Membership,
  MessageStore,
  SyncStore,
} from '@bambochat/stores';
import type { Cursor, Cursors } from './sync-token.ts';

/** A conversation in which the client has missed something. */
export interface News {
  readonly conversationId: ConversationId;
  /** Where the client is; for one that it was never given, where its user stopped reading. */
  readonly cursor: Cursor;
  /** The client was never given it. */
  readonly isNew: boolean;
  readonly head: HeadPosition | undefined;
  /** Of the journal, read before anything else. */
  readonly revision: number;
  /** Messages behind the cursor. */
  readonly behind: number;
}

export interface FoundNews {
  /** The smallest first, so that a busy conversation does not keep the others from coming through. */
  readonly news: News[];
  /** Conversations that the client was given and that its user is no member of. */
  readonly left: ConversationId[];
}

export interface NewsStores {
  messageStore: Pick<MessageStore, 'headPositions'>;
  directoryStore: Pick<DirectoryStore, 'membershipsOf' | 'conversations'>;
  syncStore: Pick<SyncStore, 'revisions'>;
}

/** As many as `CONVERSATIONS_PER_USER_MAX` of the directory can allow. */
const CONVERSATIONS_MAX = 10_000;
const IDS_PER_READ = 500;

/**
 * Compares where the client is with where its conversations are. Whatever is committed from here on
 * is not missed: it is found by the next call.
 */
export async function findNews(
  stores: NewsStores,
  userId: UserId,
  cursors: Cursors,
): Promise<FoundNews> {
  const memberships = await stores.directoryStore.membershipsOf(userId, CONVERSATIONS_MAX);
  const news: News[] = [];
  for (let from = 0; from < memberships.length; from += IDS_PER_READ) {
    news.push(...(await compare(stores, cursors, memberships.slice(from, from + IDS_PER_READ))));
  }
  const own = new Set(memberships.map(({ conversationId }) => conversationId));
  return {
    news: news.sort((a, b) => a.behind - b.behind),
    left: [...cursors.keys()].filter((conversationId) => !own.has(conversationId)),
  };
}

async function compare(
  { messageStore, directoryStore, syncStore }: NewsStores,
  cursors: Cursors,
  memberships: readonly Membership[],
): Promise<News[]> {
  const ids = memberships.map(({ conversationId }) => conversationId);
  const unknown = ids.filter((conversationId) => !cursors.has(conversationId));
  // Of a group that is just being made, memberships come first: it does not exist yet.
  const [revisions, heads, existing] = await Promise.all([
    syncStore.revisions(ids),
    messageStore.headPositions(ids),
    unknown.length === 0 ? [] : directoryStore.conversations(unknown),
  ]);
  const exists = new Set(existing.map(({ _id }) => _id));
  return memberships.flatMap(({ conversationId, readSeq }) => {
    const known = cursors.get(conversationId);
    const revision = revisions.get(conversationId) ?? 0;
    const head = heads.get(conversationId);
    const cursor = known ?? { seq: readSeq, revision };
    const behind = Math.max(0, (head?.lastSeq ?? 0) - cursor.seq);
    const isNews = known ? behind > 0 || revision > known.revision : exists.has(conversationId);
    const isNew = known === undefined;
    return isNews ? [{ conversationId, cursor, isNew, head, revision, behind }] : [];
  });
}
