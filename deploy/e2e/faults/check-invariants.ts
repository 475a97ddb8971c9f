import type { Message } from '../src/contract-shapes.ts';
import type { Attempt, LoadClient } from './load-client.ts';

/** What the outside can see of one conversation once all is quiet. */
export interface ConversationOutcome {
  /** What `GET /messages` returns, page by page. */
  readonly history: readonly Message[];
  /** What each client shows. */
  readonly lists: readonly { readonly client: string; readonly list: readonly Message[] }[];
}

export interface Verdict {
  readonly sent: number;
  readonly confirmed: number;
  readonly stored: number;
  /** Confirmed, or accepted without a word to the contrary where that counts, and not stored. */
  readonly lost: number;
  /** Messages that are stored or shown more than once. */
  readonly duplicated: number;
  /** Holes and steps back in `seq`, `_id` or the order in which one sender sent. */
  readonly reordered: number;
  /** Clients whose list of a conversation is not the history. */
  readonly diverged: number;
  /** The first few violations in words. */
  readonly violations: readonly string[];
}

const VIOLATIONS_MAX = 10;

/**
 * The invariants of every fault, from what clients were told and what history returns.
 *
 * @param options.everySendCounts what was handed to a connected socket and not answered by an error
 *   must be stored, confirmed or not
 */
export function checkInvariants(
  outcomes: ReadonlyMap<string, ConversationOutcome>,
  clients: readonly Pick<LoadClient, 'userId' | 'attempts'>[],
  options: { everySendCounts: boolean },
): Verdict {
  const violations: string[] = [];
  const counts = { lost: 0, duplicated: 0, reordered: 0, diverged: 0 };
  const violate = (kind: keyof typeof counts, what: string) => {
    counts[kind] += 1;
    if (violations.length < VIOLATIONS_MAX) {
      violations.push(`${kind}: ${what}`);
    }
  };
  const stored = new Map<string, Message>();

  for (const [conversationId, { history, lists }] of outcomes) {
    for (const [index, message] of history.entries()) {
      const key = keyOf(message.conversationId, message.senderId, message.clientMessageId);
      if (stored.has(key)) {
        violate('duplicated', `seq ${message.seq} repeats seq ${stored.get(key)?.seq}`);
      } else {
        stored.set(key, message);
      }
      const before = history[index - 1];
      if (message.seq !== index + 1) {
        violate('reordered', `seq ${message.seq} stands where ${index + 1} should`);
      }
      if (before !== undefined && before._id >= message._id) {
        violate('reordered', `the _id of seq ${message.seq} is not above its predecessor's`);
      }
    }
    for (const { client, list } of lists) {
      const shown = new Set(list.map(({ _id }) => _id));
      if (shown.size < list.length) {
        violate('duplicated', `${client} shows ${list.length - shown.size} messages twice`);
      }
      if (!sameMessages(list, history)) {
        const where = list.findIndex(({ _id }, index) => _id !== history[index]?._id);
        violate(
          'diverged',
          `${client} shows ${list.length} of ${history.length} in ${conversationId}, first difference at ${where}`,
        );
      }
    }
  }

  let sent = 0;
  let confirmed = 0;
  for (const { userId, attempts } of clients) {
    const lanes = new Map<string, number>();
    for (const attempt of attempts) {
      sent += 1;
      confirmed += Number(attempt.outcome === 'confirmed');
      const found = stored.get(keyOf(attempt.conversationId, userId, attempt.clientMessageId));
      if (found === undefined) {
        if (mustBeStored(attempt, options.everySendCounts)) {
          violate('lost', `${attempt.clientMessageId} of ${userId} was ${attempt.outcome}`);
        }
        continue;
      }
      if (attempt.message !== null && attempt.message._id !== found._id) {
        violate('duplicated', `${attempt.clientMessageId} was confirmed as another message`);
      }
      if (attempt.lane !== null) {
        const lane = `${attempt.lane} ${attempt.conversationId}`;
        const newest = lanes.get(lane) ?? 0;
        if (found.seq < newest) {
          violate('reordered', `seq ${found.seq} was sent after seq ${newest} by ${userId}`);
        }
        lanes.set(lane, Math.max(newest, found.seq));
      }
    }
  }
  return { sent, confirmed, stored: stored.size, ...counts, violations };
}

function mustBeStored({ outcome, handedOver }: Attempt, everySendCounts: boolean): boolean {
  return outcome === 'confirmed' || (everySendCounts && handedOver && outcome !== 'refused');
}

function sameMessages(list: readonly Message[], history: readonly Message[]): boolean {
  return (
    list.length === history.length &&
    list.every(({ _id, seq, content }, index) => {
      const there = history[index];
      return there?._id === _id && there.seq === seq && there.content === content;
    })
  );
}

function keyOf(conversationId: string, senderId: string, clientMessageId: string): string {
  return `${conversationId} ${senderId} ${clientMessageId}`;
}
