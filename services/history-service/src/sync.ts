import type { ConversationId, ConversationNews, SyncAnswer, UserId } from '@bambochat/protocol';
import { type DirectoryStore, unreadOf } from '@bambochat/stores';
import { beginning, keepPlace, openPlace, type PlaceStore } from './client-place.ts';
import { findNews, type News, type NewsStores } from './find-news.ts';
import { type NewsReaders, type ReadNews, readNews } from './read-news.ts';
import type { Cursor } from './sync-token.ts';

export interface SyncStores {
  messageStore: NewsStores['messageStore'] & NewsReaders['messageStore'];
  directoryStore: NewsStores['directoryStore'] &
    NewsReaders['directoryStore'] &
    Pick<DirectoryStore, 'memberships'>;
  syncStore: NewsStores['syncStore'] & NewsReaders['syncStore'] & PlaceStore;
}

/** Conversations in one answer. */
const CONVERSATIONS_PER_ANSWER = 200;
/** Reactions, marks and members in one answer; the conversations that pass it are its last. */
const STATES_PER_ANSWER = 5000;
/** Conversations that are read at a time: one request must not take all connections. */
const READ_AT_ONCE = 8;

/**
 * What the user missed since the token, in all conversations; without one, all that is unread, and
 * every conversation.
 *
 * The new token says what was really given, and no more: whatever is committed while this reads is
 * given now or next time.
 *
 * @param limit messages in this answer
 * @throws AppError `VALIDATION` for a token that is none of this user's, `UNAVAILABLE`
 */
export async function sync(
  stores: SyncStores,
  userId: UserId,
  { since, limit }: { since?: string | undefined; limit: number },
): Promise<SyncAnswer> {
  const from = since === undefined ? beginning : await openPlace(stores.syncStore, userId, since);
  const found = await findNews(stores, userId, from.cursors);
  const { read, isAll } = await readWithin(stores, found.news, limit);
  const cursors = new Map<ConversationId, Cursor>(from.cursors);
  const left = [...found.left];
  const conversations: ConversationNews[] = [];
  const seen = await seeAsMember(stores, userId, read);
  for (const [news, { told, cursor }] of read) {
    const unread = seen.get(news.conversationId);
    if (unread !== undefined) {
      conversations.push({ ...told, unread });
      cursors.set(news.conversationId, cursor);
    } else if (!news.isNew) {
      left.push(news.conversationId);
    }
  }
  for (const conversationId of left) {
    cursors.delete(conversationId);
  }
  const token = await keepPlace(stores.syncStore, userId, from, cursors);
  return { conversations, left, token, hasMore: !isAll && token !== since };
}

/** As much of the news as one answer holds. */
async function readWithin(
  stores: SyncStores,
  all: readonly News[],
  limit: number,
): Promise<{ read: Map<News, ReadNews>; isAll: boolean }> {
  const read = new Map<News, ReadNews>();
  let messagesLeft = limit;
  let states = 0;
  for (let next = 0; next < all.length; ) {
    const batch: [News, number][] = [];
    while (batch.length < READ_AT_ONCE && next < all.length && messagesLeft > 0) {
      const news = all[next] as News;
      const give = Math.min(news.behind, messagesLeft);
      messagesLeft -= give;
      batch.push([news, give]);
      next += 1;
    }
    const results = await Promise.all(batch.map(([news, give]) => readNews(stores, news, give)));
    for (const [index, [news]] of batch.entries()) {
      const result = results[index] as ReadNews;
      read.set(news, result);
      const { reactions, readMarks, members } = result.told;
      states += reactions.length + readMarks.length + members.length;
    }
    const isFull =
      messagesLeft === 0 || read.size >= CONVERSATIONS_PER_ANSWER || states >= STATES_PER_ANSWER;
    if (isFull) {
      const isWhole = [...read].every(([news, { cursor }]) => cursor.seq >= endOf(news));
      return { read, isAll: isWhole && next === all.length };
    }
  }
  return { read, isAll: true };
}

function endOf({ cursor, behind }: News): number {
  return cursor.seq + behind;
}

/**
 * Looks at the memberships again, after everything has been read: who was removed meanwhile gets
 * nothing, and `unread` is not older than the marks.
 *
 * @returns `unread` of each conversation that the user is still a member of
 */
async function seeAsMember(
  { directoryStore }: SyncStores,
  userId: UserId,
  read: ReadonlyMap<News, ReadNews>,
): Promise<Map<ConversationId, number>> {
  const heads = new Map([...read.keys()].map((news) => [news.conversationId, news.head]));
  const pairs = [...heads.keys()].map((conversationId) => ({ conversationId, userId }));
  const memberships = await directoryStore.memberships(pairs);
  return new Map(
    memberships.map((membership) => [
      membership.conversationId,
      unreadOf(membership, heads.get(membership.conversationId)),
    ]),
  );
}
