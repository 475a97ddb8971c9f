import type { StatusChange, UserId } from '@bambochat/protocol';
import { LRUCache } from 'lru-cache';

export interface StatusFilter {
  /** The change that `receiver` is to be told now, mostly this one; null when it is nothing new. */
  admit(receiver: UserId, change: StatusChange): StatusChange | null;
}

/** What a receiver was told last about one user. */
interface Told {
  changedAt: number;
  online: boolean;
  /** They are friends no more. */
  hidden: boolean;
  /** The newest change that came while hidden. */
  withheld: StatusChange | null;
}

/**
 * Makes of announcements that may come twice or late what a receiver hears once and in order.
 *
 * An announcement that was decided before a friendship ended must not show anything after it, so
 * what comes while hidden is withheld until they are friends again. Remembers the pairs told last,
 * for `ttl` ms: nothing is under way for longer.
 */
export function createStatusFilter(options: { max: number; ttl: number }): StatusFilter {
  const pairs = new LRUCache<string, Told>(options);

  /** Told once, and only to a receiver who does not know the user to be offline anyway. */
  function hide(pair: string, told: Told | undefined, change: StatusChange): StatusChange | null {
    const changedAt = Math.max(change.changedAt, told?.changedAt ?? 0);
    const withheld = told?.withheld ?? null;
    pairs.set(pair, { changedAt, online: false, hidden: true, withheld });
    const isKnown = told?.online === false && told.changedAt >= change.changedAt;
    return told?.hidden === true || isKnown ? null : change;
  }

  /** A change later than the one that is revealed may have come before it. */
  function reveal(pair: string, told: Told, change: StatusChange): StatusChange | null {
    const { withheld } = told;
    const newest = withheld !== null && withheld.changedAt > change.changedAt ? withheld : change;
    const { changedAt, online } = newest;
    pairs.set(pair, { changedAt, online, hidden: false, withheld: null });
    return online ? newest : null;
  }

  return {
    admit(receiver, change) {
      // Neither id has a space.
      const pair = `${receiver} ${change.userId}`;
      const told = pairs.get(pair);
      if (change.kind === 'hide') {
        return hide(pair, told, change);
      }
      if (change.kind === 'reveal' && told?.hidden === true) {
        return reveal(pair, told, change);
      }
      const { changedAt, online } = change;
      if (told !== undefined && changedAt <= told.changedAt) {
        return null;
      }
      if (told?.hidden === true) {
        const withheld = { ...change, to: [receiver] };
        pairs.set(pair, { changedAt, online: false, hidden: true, withheld });
        return null;
      }
      pairs.set(pair, { changedAt, online, hidden: false, withheld: null });
      return change;
    },
  };
}
