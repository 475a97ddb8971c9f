import { asChatError } from './chat-error.ts';
import { readClaims, timeLeft } from './token-claims.ts';

/**
 * An access token, or what gives one that is good for a while: it is asked again before the end.
 * `refused`: the token that the server has just refused; the same again would be of no use.
 */
export type TokenProvider = string | ((refused?: string) => string | Promise<string>);

/** A token with less time than this left, or this part of its life, is not used any more. */
const LEFT_MIN = 5000;
const LEFT_SHARE = 0.1;

export interface TokenSource {
  /** False for a fixed token: when it has expired, that is the end. */
  readonly renewable: boolean;
  /** The token at hand while it is good, else a new one. @throws ChatError */
  get(): Promise<string>;
  /**
   * A new one; several callers share one question to the provider.
   *
   * @param refused the server would not have the token at hand
   * @throws ChatError
   */
  renew(refused?: boolean): Promise<string>;
}

/** @param onToken told of every token before it is used; may throw a ChatError */
export function createTokenSource(
  provider: TokenProvider,
  onToken: (token: string) => void,
): TokenSource {
  let current: string | null = null;
  let asking: Promise<string> | null = null;

  async function ask(refused: string | undefined): Promise<string> {
    try {
      const token = typeof provider === 'string' ? provider : await provider(refused);
      onToken(token);
      current = token;
      return token;
    } catch (error) {
      throw asChatError(error);
    }
  }

  function renew(refused = false): Promise<string> {
    // Forgotten in a turn of its own: a provider may throw before there is anything to forget.
    asking ??= ask(refused ? (current ?? undefined) : undefined).finally(() => {
      asking = null;
    });
    return asking;
  }

  return {
    renewable: typeof provider !== 'string',
    renew,
    async get() {
      return current !== null && usable(current) ? current : renew();
    },
  };
}

function usable(token: string): boolean {
  const claims = readClaims(token);
  if (claims === null) {
    return true;
  }
  const life = claims.expiresAt - claims.issuedAt;
  return timeLeft(claims, Date.now()) > Math.min(LEFT_MIN, life * LEFT_SHARE);
}
