import type { ConversationId, UserId } from '@bambochat/protocol';
import { type Cast, membersOf, userOf } from './cast.ts';
import { ask, forEach, type Tokens } from './people.ts';

export interface HistoryMessage {
  readonly _id: string;
  readonly seq: number;
  readonly content: string;
  readonly reactions?: readonly { readonly userId: UserId; readonly type: string }[];
}

interface Page {
  readonly messages: readonly HistoryMessage[];
  readonly hasMore: boolean;
  readonly lastSeq: number;
}

/** Conversations whose history is read to its end. */
const READ_MAX = 50;
const PAGE = 200;

function page(rest: string, token: string, id: ConversationId, query: string): Promise<Page> {
  return ask(rest, 'GET', `/messages?conversationId=${id}${query}`, { token });
}

/** Everything after `after`, in order. */
export async function readOn(
  rest: string,
  token: string,
  id: ConversationId,
  options: { after: number; onMessage: (message: HistoryMessage) => void },
): Promise<void> {
  let { after } = options;
  for (;;) {
    const { messages, hasMore } = await page(rest, token, id, `&limit=${PAGE}&after=${after}`);
    for (const message of messages) {
      options.onMessage(message);
      after = message.seq;
    }
    if (!hasMore || messages.length === 0) {
      return;
    }
  }
}

async function lastSeqOf(rest: string, token: string, id: ConversationId): Promise<number> {
  return (await page(rest, token, id, '&limit=1')).lastSeq;
}

/** How far each conversation reaches now. */
export async function readLastSeqs(
  cast: Cast,
  { rest, tokens, ids }: { rest: string; tokens: Tokens; ids: readonly ConversationId[] },
): Promise<number[]> {
  const lastSeqs: number[] = [];
  await forEach(ids.length, async (index) => {
    const token = await tokens(userOf(cast, membersOf(cast, index)[0] ?? 0));
    lastSeqs[index] = await lastSeqOf(rest, token, ids[index] as ConversationId);
  });
  return lastSeqs;
}

/** A reaction that the server has confirmed. */
export interface Reaction {
  readonly conversation: number;
  readonly messageId: string;
  /** Index of who reacted. */
  readonly user: number;
}

export interface Stored {
  /** `lastSeq` of each conversation. */
  readonly lastSeqs: readonly number[];
  /** Of the conversations that were read: messages whose `seq` is not the next. */
  readonly holes: number;
  /** Of the same: messages with the text of an earlier one. */
  readonly twice: number;
  /** Of the same: confirmed reactions that are not there. */
  readonly reactionsNotStored: number;
}

/** What the history has: how far each conversation reaches, and what is in some of them. */
export async function readHistory(
  cast: Cast,
  options: {
    rest: string;
    tokens: Tokens;
    ids: readonly ConversationId[];
    reactions: readonly Reaction[];
  },
): Promise<Stored> {
  const { rest, tokens, ids } = options;
  const lastSeqs: number[] = [];
  let [holes, twice, reactionsNotStored] = [0, 0, 0];
  const every = Math.ceil(ids.length / READ_MAX);
  await forEach(ids.length, async (index) => {
    const id = ids[index] as ConversationId;
    const token = await tokens(userOf(cast, membersOf(cast, index)[0] ?? 0));
    lastSeqs[index] = await lastSeqOf(rest, token, id);
    if (index % every !== 0) {
      return;
    }
    const texts = new Set<string>();
    const liked = new Set<string>();
    let last = 0;
    await readOn(rest, token, id, {
      after: 0,
      onMessage({ _id, seq, content, reactions = [] }) {
        holes += Number(seq !== last + 1);
        twice += Number(texts.has(content));
        texts.add(content);
        last = seq;
        for (const { userId } of reactions) {
          liked.add(`${_id} ${userId}`);
        }
      },
    });
    for (const { conversation, messageId, user } of options.reactions) {
      const isHere = conversation === index && !liked.has(`${messageId} ${userOf(cast, user)}`);
      reactionsNotStored += Number(isHere);
    }
  });
  return { lastSeqs, holes, twice, reactionsNotStored };
}
