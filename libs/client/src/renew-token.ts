import { between, createBackoff } from './backoff.ts';
import { asChatError, type ChatError } from './chat-error.ts';
import { readClaims, timeLeft } from './token-claims.ts';
import type { TokenSource } from './token-source.ts';

const MARGIN_MAX = 60_000;
/** Part of a token's life that is left when it is renewed, unless that is more than a minute. */
const MARGIN_SHARE = 0.2;
/**
 * Part of its life for which a new token is not renewed again: with a clock that is ahead by more
 * than a token's life every one looks expired.
 */
const REST_SHARE = 0.4;
/** Milliseconds between two attempts at most: the old token does not wait. */
const RETRY_MAX = 10_000;
/** Timers of platforms overflow past 2^31 ms. */
const TIMER_MAX = 86_400_000;

export interface TokenRenewal {
  /** A connection began with this token. */
  start(token: string): void;
  stop(): void;
}

/**
 * Gets a new token before the old one expires and gives it to the server on the living connection.
 *
 * @param options.present sends `refresh_token`; rejects with a ChatError
 * @param options.onError told of every failed attempt; attempts go on until the connection ends
 */
export function createTokenRenewal(options: {
  tokens: TokenSource;
  present: (token: string) => Promise<void>;
  onError: (error: ChatError) => void;
}): TokenRenewal {
  const backoff = createBackoff({ max: RETRY_MAX });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let round = 0;

  function schedule(delay: number): void {
    clearTimeout(timer);
    const mine = round;
    timer = setTimeout(() => void renew(mine), Math.min(Math.max(delay, 0), TIMER_MAX));
  }

  function scheduleFor(token: string, renewed: boolean): void {
    const claims = readClaims(token);
    if (claims === null || !options.tokens.renewable) {
      return;
    }
    const life = claims.expiresAt - claims.issuedAt;
    const margin = Math.min(MARGIN_MAX, life * MARGIN_SHARE) * between(1, 1.5);
    const delay = timeLeft(claims, Date.now()) - margin;
    schedule(renewed ? Math.max(delay, life * REST_SHARE) : delay);
  }

  async function renew(mine: number): Promise<void> {
    try {
      const token = await options.tokens.renew();
      if (mine !== round) {
        return;
      }
      await options.present(token);
      if (mine === round) {
        backoff.reset();
        scheduleFor(token, true);
      }
    } catch (error) {
      if (mine === round) {
        options.onError(asChatError(error));
        schedule(1000 + backoff.next());
      }
    }
  }

  return {
    start(token) {
      round += 1;
      scheduleFor(token, false);
    },
    stop() {
      round += 1;
      clearTimeout(timer);
    },
  };
}
