import { ChatError } from './chat-error.ts';
import { type Fetch, requestJson, requestLogin, requestTokens } from './rest-client.ts';
import type { LoginAnswer, TokenPair } from './shapes.ts';
import { readClaims, timeLeft } from './token-claims.ts';

/** Where a session's tokens are kept. Errors of a storage come out of the method that met them. */
export interface SessionStorage {
  /** Unique for what is stored; set when several pages see it. */
  readonly sharedName: string | null;
  read(): TokenPair | null;
  write(tokens: TokenPair | null): void;
}

export function memorySession(tokens: TokenPair | null = null): SessionStorage {
  let kept = tokens;
  return {
    sharedName: null,
    read: () => kept,
    write(next) {
      kept = next;
    },
  };
}

/** In `localStorage`, for all tabs: whatever runs in the page can read it. */
export function webStorageSession(
  options: { storage?: Storage; key?: string } = {},
): SessionStorage {
  const { key = 'bambochat-session' } = options;
  const storage = () => options.storage ?? globalThis.localStorage;
  return {
    sharedName: key,
    read() {
      const text = storage().getItem(key);
      return text === null ? null : (JSON.parse(text) as TokenPair);
    },
    write(tokens) {
      if (tokens === null) {
        storage().removeItem(key);
      } else {
        storage().setItem(key, JSON.stringify(tokens));
      }
    },
  };
}

export interface SessionOptions {
  /** Of the directory service, as `restUrl` of `connectSocket`. */
  url: string;
  storage?: SessionStorage;
  fetch?: Fetch;
}

/** An access token with less than this share of its life left is exchanged. */
const FRESH_SHARE = 0.3;

/**
 * A login session: `connectSocket(session.token)`. A refresh token may be
 * spent once, and a second time ends the session, so exchanging is done by one caller at a time, and
 * by one tab at a time where there are Web Locks. Without them use one session for each tab.
 */
export class Session {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #storage: SessionStorage;
  #exchanging: Promise<string> | null = null;

  constructor(options: SessionOptions) {
    this.#url = options.url.replace(/\/+$/, '');
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#storage = options.storage ?? memorySession();
  }

  /** Whose session it is; null when nobody is logged in. */
  get userId(): string | null {
    const tokens = this.#storage.read();
    return tokens === null ? null : (readClaims(tokens.accessToken)?.userId ?? null);
  }

  /** @throws ChatError `AUTH_INVALID` for a wrong id or password */
  async login(id: string, password: string): Promise<LoginAnswer['user']> {
    const target = { url: this.#url, fetch: this.#fetch };
    const { accessToken, refreshToken, user } = await requestLogin(target, { id, password });
    this.#storage.write({ accessToken, refreshToken });
    return user;
  }

  /**
   * An access token that is good for a while.
   *
   * @param refused a token that the server has refused, whatever its claims say
   * @throws ChatError `AUTH_REQUIRED` when nobody is logged in, `AUTH_INVALID` or `AUTH_EXPIRED`
   *   when the session has ended, `UNAVAILABLE`
   */
  readonly token = (refused?: string): Promise<string> => {
    this.#exchanging ??= this.#alone(() => this.#freshToken(refused)).finally(() => {
      this.#exchanging = null;
    });
    return this.#exchanging;
  };

  /** Ends the session on the server and forgets it here, in this order. @throws ChatError */
  async logout(): Promise<void> {
    const tokens = this.#storage.read();
    if (tokens !== null) {
      const target = { url: this.#url, fetch: this.#fetch };
      const { refreshToken } = tokens;
      await requestJson(target, 'POST', '/api/auth/logout', { json: { refreshToken } });
      this.#storage.write(null);
    }
  }

  #alone(action: () => Promise<string>): Promise<string> {
    const { sharedName } = this.#storage;
    const locks = globalThis.navigator?.locks;
    return sharedName === null || locks === undefined
      ? action()
      : locks.request(sharedName, action);
  }

  async #freshToken(refused: string | undefined): Promise<string> {
    // Read when it is one's turn: another tab may just have exchanged it.
    const tokens = this.#storage.read();
    if (tokens === null) {
      throw new ChatError('AUTH_REQUIRED', 'Nobody is logged in', false);
    }
    const claims = readClaims(tokens.accessToken);
    if (claims !== null && tokens.accessToken !== refused) {
      const life = claims.expiresAt - claims.issuedAt;
      if (timeLeft(claims, Date.now()) > life * FRESH_SHARE) {
        return tokens.accessToken;
      }
    }
    const target = { url: this.#url, fetch: this.#fetch };
    const next = await requestTokens(target, tokens.refreshToken);
    this.#storage.write({ accessToken: next.accessToken, refreshToken: next.refreshToken });
    return next.accessToken;
  }
}
