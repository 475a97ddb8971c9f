import {
  type ConversationId,
  type Message,
  type MessageId,
  type MessageRequest,
  unavailable,
} from '@bambochat/protocol';
import type { MessageStore } from '@bambochat/stores';
import { LRUCache } from 'lru-cache';
import { createMessageIds } from './message-ids.ts';

/** What became of one request: its message, and whether an earlier try had stored it. */
export interface Sequenced {
  message: Message;
  duplicate: boolean;
}

export interface Sequencer {
  /**
   * Gives each request the next `seq` of its conversation and stores it, in the order given. A
   * request whose `clientMessageId` is stored already gets that message. When it rejects, any
   * number of the requests may be stored: repeat the whole call.
   *
   * @throws AppError `UNAVAILABLE` of the store, or when other writers win every round.
   */
  store(requests: readonly MessageRequest[]): Promise<Sequenced[]>;
  /** Somebody else may have written to these conversations: the next `seq` is read again. */
  forget(): void;
}

interface Last {
  seq: number;
  _id: MessageId | null;
}

const nothingYet: Last = { seq: 0, _id: null };

/** Rounds against other writers of the same conversations; one is the rule, two a hand-over. */
const ROUNDS_MAX = 10;

/** JSON, since a client's id may hold any separator. */
function keyOf(request: {
  conversationId: string;
  senderId: string;
  clientMessageId: string;
}): string {
  return JSON.stringify([request.conversationId, request.senderId, request.clientMessageId]);
}

/**
 * The store's unique indexes are the only fence. The last `seq` is a guess from a bounded cache;
 * where the store says otherwise (a redelivery, a zombie that woke up late, another replica), the
 * guess is read again and the rest is renumbered. Since an insert stops at its first conflict,
 * renumbering never leaves a hole.
 */
export function createSequencer(options: {
  store: MessageStore;
  /** Conversations whose last `seq` is remembered. */
  cacheSize: number;
  /** Told how many conversations were remembered and how many had to be read. */
  onLookups?: (hits: number, misses: number) => void;
  now?: () => number;
}): Sequencer {
  const { store } = options;
  const now = options.now ?? Date.now;
  const lasts = new LRUCache<ConversationId, Last>({ max: options.cacheSize });
  const ids = createMessageIds();

  /** Where each conversation of these requests stands: remembered, else read from the store. */
  async function loadLasts(
    requests: readonly MessageRequest[],
  ): Promise<Map<ConversationId, Last>> {
    const starts = new Map<ConversationId, Last>();
    const unknown = new Set<ConversationId>();
    for (const { conversationId } of requests) {
      const last = lasts.get(conversationId);
      if (last === undefined) {
        unknown.add(conversationId);
      } else {
        starts.set(conversationId, last);
      }
    }
    options.onLookups?.(starts.size, unknown.size);
    if (unknown.size > 0) {
      const found = await store.lastOf([...unknown]);
      for (const conversationId of unknown) {
        starts.set(conversationId, found.get(conversationId) ?? nothingYet);
      }
    }
    return starts;
  }

  function number(
    requests: readonly MessageRequest[],
    starts: ReadonlyMap<ConversationId, Last>,
  ): Message[] {
    const createdAt = new Date(now()).toISOString();
    const reached = new Map(starts);
    return requests.map(({ conversationId, senderId, content, clientMessageId }) => {
      const last = reached.get(conversationId) ?? nothingYet;
      const next = { seq: last.seq + 1, _id: ids.after(last._id) };
      reached.set(conversationId, next);
      return {
        _id: next._id,
        conversationId,
        seq: next.seq,
        senderId,
        content,
        clientMessageId,
        reactions: [],
        createdAt,
      };
    });
  }

  function forgetThese(requests: readonly MessageRequest[]): void {
    for (const { conversationId } of requests) {
      lasts.delete(conversationId);
    }
  }

  /** Stores a prefix of the requests, as far as no other writer is in the way. */
  async function storePrefix(requests: readonly MessageRequest[]): Promise<Message[]> {
    const messages = number(requests, await loadLasts(requests));
    try {
      const { inserted } = await store.insert(messages);
      return messages.slice(0, inserted);
    } catch (error) {
      // How much was stored is unknown, so what is remembered may be wrong.
      forgetThese(requests);
      throw error;
    }
  }

  async function findStored(requests: readonly MessageRequest[]): Promise<Map<string, Message>> {
    const found = await store.findByClientMessageIds(requests);
    if (found.length > 0) {
      // Their writer may have died before the heads followed.
      await store.advanceHeads(found);
    }
    return new Map(found.map((message) => [keyOf(message), message]));
  }

  return {
    async store(requests) {
      const outcomes = new Map<string, Sequenced>();
      // One request may stand twice in a command: the second is a retry of the first.
      const distinct = new Map<string, MessageRequest>();
      for (const request of requests) {
        const key = keyOf(request);
        if (!distinct.has(key)) {
          distinct.set(key, request);
        }
      }
      let rest = [...distinct.values()];
      for (let round = 0; rest.length > 0; round += 1) {
        if (round === ROUNDS_MAX) {
          throw unavailable('The conversation');
        }
        const stored = await storePrefix(rest);
        for (const message of stored) {
          lasts.set(message.conversationId, { seq: message.seq, _id: message._id });
          outcomes.set(keyOf(message), { message, duplicate: false });
        }
        rest = rest.slice(stored.length);
        if (rest.length > 0) {
          forgetThese(rest);
          const earlier = await findStored(rest);
          for (const [key, message] of earlier) {
            outcomes.set(key, { message, duplicate: true });
          }
          rest = rest.filter((request) => !earlier.has(keyOf(request)));
        }
      }
      return requests.map((request) => {
        const key = keyOf(request);
        const outcome = outcomes.get(key);
        if (outcome === undefined) {
          throw new Error('a request was neither stored nor found');
        }
        return distinct.get(key) === request ? outcome : { ...outcome, duplicate: true };
      });
    },
    forget() {
      lasts.clear();
    },
  };
}
