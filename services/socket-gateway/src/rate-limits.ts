import type { UserId } from '@bambochat/protocol';
import { LRUCache } from 'lru-cache';

/** Tokens come back at `rate` a second, up to `burst`. */
export interface Rate {
  rate: number;
  burst: number;
}

export type RateKind = 'connect' | 'message' | 'typing' | 'request';

interface Bucket {
  tokens: number;
  filledAt: number;
}

export interface RateLimits {
  /** Takes one token of the user's bucket; false when it is empty. */
  take(userId: UserId, kind: RateKind): boolean;
}

/**
 * Token buckets for each user, shared by the user's sockets on this gateway. The user forgotten
 * first when there are more than `maxUsers` gets a full bucket again.
 *
 * @param options.now milliseconds from a monotonic clock
 */
export function createRateLimits(options: {
  rates: Record<RateKind, Rate>;
  maxUsers: number;
  now?: () => number;
}): RateLimits {
  const now = options.now ?? (() => performance.now());
  const buckets = new LRUCache<UserId, Record<RateKind, Bucket>>({ max: options.maxUsers });

  function fullBuckets(): Record<RateKind, Bucket> {
    const filledAt = now();
    const { connect, message, typing, request } = options.rates;
    return {
      connect: { tokens: connect.burst, filledAt },
      message: { tokens: message.burst, filledAt },
      typing: { tokens: typing.burst, filledAt },
      request: { tokens: request.burst, filledAt },
    };
  }

  return {
    take(userId, kind) {
      let own = buckets.get(userId);
      if (own === undefined) {
        own = fullBuckets();
        buckets.set(userId, own);
      }
      const bucket = own[kind];
      const { rate, burst } = options.rates[kind];
      const time = now();
      bucket.tokens = Math.min(burst, bucket.tokens + ((time - bucket.filledAt) / 1000) * rate);
      bucket.filledAt = time;
      if (bucket.tokens < 1) {
        return false;
      }
      bucket.tokens -= 1;
      return true;
    },
  };
}
