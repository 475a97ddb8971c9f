import type { Message } from '@bambochat/client';
import { dayOf } from '../state/format-time.ts';

/** A message of one's own on its way; `failed`: for good, until the user says what to do with it. */
export interface OutgoingMessage {
  readonly clientMessageId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly state: 'pending' | 'failed';
  /** Why it failed, for people. */
  readonly problem: string | null;
}

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: string }
  | { readonly kind: 'divider'; readonly key: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: Message;
      /** First and last of a run: messages of one sender that follow each other soon. */
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  | {
      readonly kind: 'outgoing';
      readonly key: string;
      readonly message: OutgoingMessage;
      readonly isFirst: boolean;
      readonly isLast: boolean;
    };

/** Milliseconds of silence that end a run. */
const RUN_GAP = 5 * 60_000;

interface Placed {
  senderId: string;
  at: string;
  day: string;
  seq: number | null;
}

/**
 * The rows of a view: messages in runs, with a line before each day and before what is new.
 *
 * @param options.dividerSeq the message before what was new when the view was opened
 */
export function groupMessages(options: {
  messages: readonly Message[];
  outgoing: readonly OutgoingMessage[];
  userId: string;
  dividerSeq: number | null;
}): Row[] {
  const { messages, outgoing, userId, dividerSeq } = options;
  const placed: Placed[] = [
    ...messages.map(({ senderId, createdAt, seq }) => ({
      senderId,
      at: createdAt,
      day: dayOf(createdAt),
      seq,
    })),
    ...outgoing.map(({ createdAt }) => ({
      senderId: userId,
      at: createdAt,
      day: dayOf(createdAt),
      seq: null,
    })),
  ];
  const rows: Row[] = [];
  const startsRun = (index: number): boolean => {
    const one = placed[index - 1];
    const other = placed[index];
    return (
      one === undefined ||
      other === undefined ||
      one.senderId !== other.senderId ||
      one.day !== other.day ||
      Date.parse(other.at) - Date.parse(one.at) > RUN_GAP ||
      startsNews(index)
    );
  };
  const startsNews = (index: number): boolean => {
    const seq = placed[index]?.seq ?? null;
    return dividerSeq !== null && seq !== null && seq === dividerSeq + 1;
  };
  for (const [index, { day, at }] of placed.entries()) {
    if (day !== placed[index - 1]?.day) {
      rows.push({ kind: 'day', key: `day ${day}`, at });
    }
    if (startsNews(index)) {
      rows.push({ kind: 'divider', key: 'divider' });
    }
    const isFirst = startsRun(index);
    const isLast = startsRun(index + 1);
    const message = messages[index];
    if (message !== undefined) {
      // One's own keeps its place in the page when it is confirmed.
      const key = message.senderId === userId ? message.clientMessageId : message._id;
      rows.push({ kind: 'message', key, message, isFirst, isLast });
    } else {
      const waiting = outgoing[index - messages.length];
      if (waiting !== undefined) {
        const key = waiting.clientMessageId;
        rows.push({ kind: 'outgoing', key, message: waiting, isFirst, isLast });
      }
    }
  }
  return rows;
}
