import { createBackoff } from './backoff.ts';
import { asChatError, type ChatError, isAuthError, unavailable } from './chat-error.ts';
import { createTokenRenewal } from './renew-token.ts';
import type { TokenSource } from './token-source.ts';
import type { OpenWire, Wire } from './wire.ts';

/**
 * - `connecting`: an attempt is under way
 * - `catching-up`: connected and hearing what is new; what was missed is being fetched
 * - `live`: everything up to now is here
 * - `offline`: waiting for the next attempt at `retryAt` (milliseconds since the epoch)
 * - `refused`: the server will not have this token, and no better one is to be had: log in again
 * - `closed`: by `close()`, for good
 */
export type ConnectionState =
  | { readonly name: 'connecting' | 'catching-up' | 'live' | 'closed' }
  | { readonly name: 'offline'; readonly retryAt: number; readonly error: ChatError | null }
  | { readonly name: 'refused'; readonly error: ChatError };

export interface Connection {
  readonly state: ConnectionState;
  /** The connection while there is one. */
  readonly wire: Wire | null;
  open(): void;
  /** All that was missed is here. */
  caughtUp(): void;
  /** The network may have been away and may be back: looks whether the connection is still there. */
  hurry(): void;
  /** Tries again at once and with a new token, also after `refused`. */
  retry(): void;
  close(): void;
}

/** How often in a row a new token is tried after a refusal. */
const AUTH_REFUSALS_MAX = 3;
/** Milliseconds after which a connection counts as good, and waiting times begin anew. */
const STABLE_AFTER = 10_000;
/** Within this many milliseconds after a hint everyone comes, and not in the same one. */
const HURRY_SPREAD = 1000;
const REQUEST_TIMEOUT = 20_000;

export function createConnection(options: {
  openWire: OpenWire;
  tokens: TokenSource;
  onState: (state: ConnectionState) => void;
  /** Live events come from now on. */
  onConnected: () => void;
  onDisconnected: () => void;
  onEvent: (name: string, payload: unknown) => void;
  onError: (error: ChatError) => void;
}): Connection {
  const { tokens } = options;
  const backoff = createBackoff();
  const renewal = createTokenRenewal({
    tokens,
    async present(token) {
      if (wire === null) {
        throw unavailable('There is no connection');
      }
      await wire.request('refresh_token', { token }, REQUEST_TIMEOUT);
    },
    onError: options.onError,
  });
  let state: ConnectionState = { name: 'connecting' };
  let wire: Wire | null = null;
  let opening: Wire | null = null;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stable: ReturnType<typeof setTimeout> | undefined;
  let authRefusals = 0;
  let needsNewToken = false;

  function enter(next: ConnectionState): void {
    state = next;
    options.onState(next);
  }

  function letGo(): void {
    attempt += 1;
    clearTimeout(timer);
    clearTimeout(stable);
    renewal.stop();
    opening?.close();
    opening = null;
    const had = wire;
    wire = null;
    if (had !== null) {
      had.close();
      options.onDisconnected();
    }
  }

  async function tryNow(): Promise<void> {
    letGo();
    const mine = attempt;
    enter({ name: 'connecting' });
    let token: string;
    try {
      token = await (needsNewToken ? tokens.renew(true) : tokens.get());
    } catch (error) {
      if (mine === attempt) {
        const failure = asChatError(error);
        if (isAuthError(failure)) {
          refuse(failure);
        } else {
          waitAndRetry(failure);
        }
      }
      return;
    }
    if (mine !== attempt) {
      return;
    }
    needsNewToken = false;
    let opened: Wire | null = null;
    opened = options.openWire(token, {
      connected() {
        if (mine !== attempt) {
          return;
        }
        wire = opened;
        opening = null;
        authRefusals = 0;
        stable = setTimeout(() => backoff.reset(), STABLE_AFTER);
        renewal.start(token);
        enter({ name: 'catching-up' });
        options.onConnected();
      },
      refused(error) {
        if (mine === attempt) {
          handleRefusal(error);
        }
      },
      disconnected() {
        if (mine === attempt) {
          waitAndRetry(null);
        }
      },
      event(name, payload) {
        if (mine !== attempt) {
          return;
        }
        const code = (payload as { code?: unknown } | null)?.code;
        if (name === 'chat_error' && typeof code === 'string' && code.startsWith('AUTH_')) {
          // The last words of a server that closes: this token is of no more use.
          needsNewToken = true;
        }
        options.onEvent(name, payload);
      },
    });
    opening = opened;
  }

  function handleRefusal(error: ChatError): void {
    if (!isAuthError(error)) {
      waitAndRetry(error);
      return;
    }
    authRefusals += 1;
    needsNewToken = true;
    if (!tokens.renewable || authRefusals >= AUTH_REFUSALS_MAX) {
      refuse(error);
    } else {
      waitAndRetry(error);
    }
  }

  function refuse(error: ChatError): void {
    letGo();
    enter({ name: 'refused', error });
  }

  function waitAndRetry(error: ChatError | null): void {
    letGo();
    const delay = backoff.next();
    timer = setTimeout(() => void tryNow(), delay);
    enter({ name: 'offline', retryAt: Date.now() + delay, error });
  }

  return {
    get state() {
      return state;
    },
    get wire() {
      return wire;
    },
    open() {
      void tryNow();
    },
    caughtUp() {
      if (state.name === 'catching-up') {
        enter({ name: 'live' });
      }
    },
    hurry() {
      wire?.check();
      if (state.name === 'offline' && state.retryAt > Date.now() + HURRY_SPREAD) {
        const delay = Math.random() * HURRY_SPREAD;
        clearTimeout(timer);
        timer = setTimeout(() => void tryNow(), delay);
        enter({ ...state, retryAt: Date.now() + delay });
      }
    },
    retry() {
      if (state.name === 'offline' || state.name === 'refused') {
        authRefusals = 0;
        needsNewToken = tokens.renewable;
        void tryNow();
      }
    },
    close() {
      if (state.name !== 'closed') {
        letGo();
        enter({ name: 'closed' });
      }
    },
  };
}
