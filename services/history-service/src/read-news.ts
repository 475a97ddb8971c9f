import {
  type ConversationNews,
  type Message,
  PARTICIPANTS_MAX,
  type ReadMark,
} from '@bambochat/protocol';
import type {
  Change,
  DirectoryStore,
  Membership,
  MessageStore,
  SyncStore,
} from '@bambochat/stores';
import type { News } from './find-news.ts';
import type { Cursor } from './sync-token.ts';

export interface NewsReaders {
  messageStore: Pick<MessageStore, 'page' | 'reactionsTo' | 'idsOf'>;
  directoryStore: Pick<DirectoryStore, 'memberships' | 'participantsOf'>;
  syncStore: Pick<SyncStore, 'changesSince'>;
}

/** What is told of one conversation, but for `unread`; and where the client is afterwards. */
export interface ReadNews {
  readonly told: Omit<ConversationNews, 'unread'>;
  readonly cursor: Cursor;
}

/** Messages whose reactions are told when the journal does not go back far enough. */
const REACTIONS_ON_RESET = 200;

type States = Pick<ConversationNews, 'reactions' | 'readMarks' | 'members' | 'reset'> & {
  revision: number;
};

/**
 * Messages first, then the journal, then the states that it names: a change that is made meanwhile
 * is in what is read, or in the journal behind the revision that is given, or in both.
 *
 * @param give how many messages, of those that are there
 */
export async function readNews(readers: NewsReaders, news: News, give: number): Promise<ReadNews> {
  const { conversationId, cursor, head } = news;
  const messages = await readMessages(readers, news, give);
  const seq = messages.at(-1)?.seq ?? cursor.seq;
  const { revision, ...states } = await readStates(readers, news, seq);
  return {
    told: { conversationId, messages, ...states, lastSeq: Math.max(head?.lastSeq ?? 0, seq) },
    cursor: { seq, revision },
  };
}

async function readMessages(
  { messageStore }: NewsReaders,
  { conversationId, cursor }: News,
  give: number,
): Promise<Message[]> {
  if (give === 0) {
    return [];
  }
  const after = cursor.seq;
  return messageStore.page(conversationId, { after, before: after + give + 1, limit: give });
}

/** @param reached the newest message that the client has now */
async function readStates(readers: NewsReaders, news: News, reached: number): Promise<States> {
  const { conversationId, cursor, isNew, revision } = news;
  if (isNew) {
    const everybody = await readEverybody(readers, news);
    const { readMarks } = everybody;
    return { reactions: [], readMarks, members: [], reset: false, revision };
  }
  if (revision <= cursor.revision) {
    const nothing = { reactions: [], readMarks: [], members: [] };
    return { ...nothing, reset: false, revision: cursor.revision };
  }
  const journal = await readers.syncStore.changesSince(conversationId, cursor.revision);
  const states = journal.complete
    ? await readChanged(readers, news, journal.changes, reached)
    : await readWhole(readers, news, reached);
  return { ...states, reset: !journal.complete, revision: journal.revision };
}

async function readWhole(
  readers: NewsReaders,
  news: News,
  reached: number,
): Promise<Pick<States, 'reactions' | 'readMarks' | 'members'>> {
  const newest = await readers.messageStore.page(news.conversationId, {
    before: reached + 1,
    limit: REACTIONS_ON_RESET,
  });
  return {
    reactions: newest.map(({ _id, reactions }) => ({ messageId: _id, reactions })),
    ...(await readEverybody(readers, news)),
  };
}

async function readEverybody(
  readers: NewsReaders,
  { conversationId }: News,
): Promise<Pick<States, 'readMarks' | 'members'>> {
  const everybody = await readers.directoryStore.participantsOf(conversationId, PARTICIPANTS_MAX);
  return {
    readMarks: await readMarksOf(readers, everybody),
    members: everybody.map(({ userId, role }) => ({ userId, member: true, role })),
  };
}

async function readChanged(
  readers: NewsReaders,
  { conversationId }: News,
  changes: readonly Change[],
  reached: number,
): Promise<Pick<States, 'reactions' | 'readMarks' | 'members'>> {
  // A message that is still to come brings its reactions along.
  const messageIds = changes.flatMap((change) =>
    change.kind === 'reaction' && change.seq <= reached ? [change.messageId] : [],
  );
  const userIds = new Set(
    changes.flatMap((change) => (change.kind === 'reaction' ? [] : [change.userId])),
  );
  const [reactions, memberships] = await Promise.all([
    readers.messageStore.reactionsTo(conversationId, messageIds),
    readers.directoryStore.memberships([...userIds].map((userId) => ({ conversationId, userId }))),
  ]);
  const roles = new Map(memberships.map(({ userId, role }) => [userId, role]));
  return {
    reactions: [...reactions].map(([messageId, all]) => ({ messageId, reactions: all })),
    readMarks: await readMarksOf(readers, memberships),
    members: changes.flatMap((change) => {
      if (change.kind !== 'member') {
        return [];
      }
      const role = roles.get(change.userId) ?? null;
      return [{ userId: change.userId, member: role !== null, role }];
    }),
  };
}

/** Who has read nothing has no mark. */
async function readMarksOf(
  { messageStore }: NewsReaders,
  memberships: readonly Membership[],
): Promise<ReadMark[]> {
  const [first] = memberships;
  if (first === undefined) {
    return [];
  }
  const seqs = new Set(memberships.map(({ readSeq }) => readSeq));
  seqs.delete(0);
  const ids = await messageStore.idsOf(first.conversationId, [...seqs]);
  return memberships.flatMap(({ userId, readSeq: seq }) => {
    const messageId = ids.get(seq);
    return messageId === undefined ? [] : [{ userId, messageId, seq }];
  });
}
