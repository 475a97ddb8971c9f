import { createHash, randomBytes } from 'node:crypto';
import { RetryLaterError } from '@bambochat/rest';
import { networkOf } from '@bambochat/runtime';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Keys of one limiter at most: a key is one of so many slots. */
const SLOTS = 2 ** 18;

export interface AttemptLimits {
  /** Counts a registration or login. @throws RetryLaterError `RATE_LIMITED` */
  countRequest(address: string): Promise<void>;
  /** @throws RetryLaterError `RATE_LIMITED` after too many wrong passwords for this id */
  admitLogin(id: string): Promise<void>;
  /** A wrong password, or an id that nobody has: counted the same. */
  countFailure(id: string): Promise<void>;
}

/** @param options.window milliseconds, fixed from the first attempt on */
export function createAttemptLimits(options: {
  requestsPerAddress: number;
  failuresPerAccount: number;
  window: number;
}): AttemptLimits {
  const duration = options.window / 1000;
  const requests = new RateLimiterMemory({ points: options.requestsPerAddress, duration });
  const failures = new RateLimiterMemory({ points: options.failuresPerAccount, duration });
  // Nobody outside can find two keys that share a slot.
  const salt = randomBytes(16);

  function slotOf(key: string): string {
    const digest = createHash('sha256').update(salt).update(key).digest();
    return String(digest.readUInt32BE(0) % SLOTS);
  }

  return {
    async countRequest(address) {
      try {
        await requests.consume(slotOf(networkOf(address)));
      } catch (limit) {
        throw limit instanceof RateLimiterRes ? tooMany(limit.msBeforeNext) : limit;
      }
    },
    async admitLogin(id) {
      const spent = await failures.get(slotOf(id));
      if (spent !== null && spent.consumedPoints >= options.failuresPerAccount) {
        throw tooMany(spent.msBeforeNext);
      }
    },
    async countFailure(id) {
      await failures.penalty(slotOf(id));
    },
  };
}

function tooMany(retryAfter: number): RetryLaterError {
  return new RetryLaterError('RATE_LIMITED', 'Too many attempts, try again later', retryAfter);
}
