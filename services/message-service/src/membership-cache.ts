import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  type ConversationId,
  membersChangedSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { LRUCache } from 'lru-cache';

export interface MemberPair {
  conversationId: ConversationId;
  userId: UserId;
}

/**
 * Who is a member, remembered.
 *
 * Right within the time an event takes: every change is announced on the bus after the directory
 * has stored it. Events are missed only while this process is cut off from the bus, so a reconnect
 * forgets everything, and `ttl` bounds what a lost event could do besides.
 */
export interface MembershipCache {
  /** In the order asked. @throws what `load` throws */
  areMembers(pairs: readonly MemberPair[]): Promise<boolean[]>;
  close(): void;
}

const PAIRS_PER_LOAD_MAX = 500;

/**
 * @param options.load reads the truth; asked for at most 500 pairs at a time
 * @param options.max pairs remembered
 * @param options.ttl milliseconds a pair is remembered at most
 */
export function createMembershipCache(options: {
  load: (pairs: readonly MemberPair[]) => Promise<boolean[]>;
  bus: EventBus;
  max: number;
  ttl: number;
  onLookup?: (outcome: 'hit' | 'miss') => void;
}): MembershipCache {
  const known = new LRUCache<string, boolean>({ max: options.max, ttl: options.ttl });
  // Counts changes, so that an answer read before a change is not remembered after it.
  let changes = 0;

  const keyOf = (pair: MemberPair) => `${pair.conversationId}:${pair.userId}`;

  const subscriptions: Subscription[] = [
    options.bus.subscribe(subjects.membersChanged, (payload) => {
      changes += 1;
      const change = membersChangedSchema.safeParse(payload);
      if (!change.success) {
        known.clear();
        return;
      }
      const { conversationId, added, removed } = change.data;
      for (const userId of [...added, ...removed]) {
        known.delete(keyOf({ conversationId, userId }));
      }
    }),
    options.bus.onReconnect(() => {
      changes += 1;
      known.clear();
    }),
  ];

  async function load(missing: ReadonlyMap<string, MemberPair>): Promise<Map<string, boolean>> {
    const loaded = new Map<string, boolean>();
    const entries = [...missing];
    for (let from = 0; from < entries.length; from += PAIRS_PER_LOAD_MAX) {
      const part = entries.slice(from, from + PAIRS_PER_LOAD_MAX);
      const before = changes;
      const answers = await options.load(part.map(([, pair]) => pair));
      for (const [index, [key]] of part.entries()) {
        const member = answers[index] === true;
        loaded.set(key, member);
        if (changes === before) {
          known.set(key, member);
        }
      }
    }
    return loaded;
  }

  return {
    async areMembers(pairs) {
      const answers = new Map<string, boolean>();
      const missing = new Map<string, MemberPair>();
      for (const pair of pairs) {
        const key = keyOf(pair);
        const cached = known.get(key);
        options.onLookup?.(cached === undefined ? 'miss' : 'hit');
        if (cached === undefined) {
          missing.set(key, pair);
        } else {
          answers.set(key, cached);
        }
      }
      for (const [key, member] of await load(missing)) {
        answers.set(key, member);
      }
      return pairs.map((pair) => answers.get(keyOf(pair)) === true);
    },
    close() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      known.clear();
    },
  };
}
