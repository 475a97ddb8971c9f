import type { ChatConversation, Conversation } from '@bambochat/client';
import { mentions } from '../messages/parse-text.ts';
import { strings } from '../strings.ts';

/** What the list shows of a conversation. */
export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  readonly isGroup: boolean;
  /** The other one of a direct conversation. */
  readonly peerId: string | null;
  readonly memberCount: number;
  readonly last: { readonly text: string; readonly senderId: string } | null;
  /** ISO 8601 of the latest activity: a message, waiting ones included, or the beginning. */
  readonly at: string;
  /** The newest message of one's own waits, or failed. */
  readonly outgoing: 'pending' | 'failed' | null;
  readonly unread: number;
  /** Unread messages that mention the user, as far as they are in memory. */
  readonly mentions: number;
  readonly typing: readonly string[];
}

export function titleOf(conversation: Conversation, userId: string): string {
  const others = conversation.participants.filter(({ _id }) => _id !== userId);
  if (conversation.type === 'group') {
    const names = others.slice(0, 4).map(({ displayName }) => displayName);
    return (
      conversation.name ??
      (names.length > 0 ? names.join(', ') : strings.conversations.unnamedGroup)
    );
  }
  return others[0]?.displayName ?? strings.conversations.withYourself;
}

/** What the client knows of a conversation, apart from what the directory says of it. */
export type LiveConversation = Pick<
  ChatConversation,
  'messages' | 'pending' | 'lastSeq' | 'readSeq' | 'unread' | 'typing'
>;

/**
 * @param live null until the client has caught up with it
 * @param failedAt when the newest message that failed was written, if any did
 */
export function summarise(
  conversation: Conversation,
  live: LiveConversation | null,
  userId: string,
  failedAt: string | null = null,
): ConversationSummary {
  const stored = live?.messages.at(-1);
  const waiting = live?.pending.at(-1);
  const known = conversation.lastMessage;
  const newest =
    stored !== undefined && (known === null || stored.createdAt >= known.createdAt)
      ? stored
      : known;
  const last =
    waiting === undefined
      ? newest === null
        ? null
        : { text: newest.content, senderId: newest.senderId }
      : { text: waiting.content, senderId: userId };
  const at = [waiting?.createdAt, newest?.createdAt, conversation.createdAt].find(
    (time) => time !== undefined,
  );
  const isKnown = live !== null && live.readSeq !== null;
  const unread = isKnown ? live.unread : conversation.unread;
  const peer = conversation.participants.find(({ _id }) => _id !== userId);
  return {
    id: conversation._id,
    title: titleOf(conversation, userId),
    isGroup: conversation.type === 'group',
    peerId: conversation.type === 'group' ? null : (peer?._id ?? null),
    memberCount: conversation.participants.length,
    last,
    at: at ?? conversation.createdAt,
    outgoing: failedAt !== null ? 'failed' : waiting === undefined ? null : 'pending',
    unread,
    mentions: live === null || unread === 0 ? 0 : countMentions(live, userId),
    typing: live?.typing ?? [],
  };
}

function countMentions({ messages, lastSeq, unread }: LiveConversation, userId: string): number {
  const readSeq = lastSeq - unread;
  let count = 0;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message === undefined || message.seq <= readSeq) {
      break;
    }
    if (message.senderId !== userId && mentions(message.content, userId)) {
      count += 1;
    }
  }
  return count;
}

/** Latest activity first; conversations of the same moment keep one order. */
export function inListOrder(one: ConversationSummary, other: ConversationSummary): number {
  return one.at === other.at ? (one.id < other.id ? 1 : -1) : one.at < other.at ? 1 : -1;
}

export function sameSummary(one: ConversationSummary, other: ConversationSummary): boolean {
  return (
    one.title === other.title &&
    one.isGroup === other.isGroup &&
    one.peerId === other.peerId &&
    one.memberCount === other.memberCount &&
    one.last?.text === other.last?.text &&
    one.last?.senderId === other.last?.senderId &&
    one.at === other.at &&
    one.outgoing === other.outgoing &&
    one.unread === other.unread &&
    one.mentions === other.mentions &&
    one.typing.join() === other.typing.join()
  );
}

/** Whether the title of a conversation, or the id of the other one, has all words of a search. */
export function matches(summary: ConversationSummary, search: string): boolean {
  const words = fold(search).split(/\s+/).filter(Boolean);
  const text = fold(`${summary.title} ${summary.peerId ?? ''}`);
  return words.every((word) => text.includes(word));
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
