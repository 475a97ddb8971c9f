import { ChatClient } from './chat-client.ts';
import { memoryOutbox, type OpenOutboxStorage } from './outbox-storage.ts';
import type { Fetch } from './rest-client.ts';
import type { TokenProvider } from './token-source.ts';
import { type OpenWire, socketIoWires } from './wire.ts';

export interface ConnectOptions {
  /** Where the chat is: scheme, host and port. Default in a page: where the page comes from. */
  url?: string;
  /** Of the REST services, when they are elsewhere; may have a path. Default `url`. */
  restUrl?: string;
  /** Of Socket.IO. Default `/socket.io`. */
  path?: string;
  /** In the order in which they are tried. Default `['websocket', 'polling']`. */
  transports?: readonly ('websocket' | 'polling')[];
  /** Where unconfirmed messages wait. Default: in memory, and a reload loses them. */
  storage?: OpenOutboxStorage;
  /**
   * Who this is, when it is known before there is a token: what waits in the outbox is shown then
   * even while the device is offline. The token must be of this user.
   */
  userId?: string;
  /** Newest messages of each conversation that are held in memory, older pages aside. Default 500. */
  keepMessages?: number;
  fetch?: Fetch;
  /** How connections are made; for tests. */
  openWire?: OpenWire;
}

/**
 * Connects, and stays connected until `close()`: see `ConnectionState` for what may be in between.
 *
 * @param token an access token, or what gives one: it is asked for a new one before each expires. It
 *   may throw a ChatError with an `AUTH_` code when there is none to be had: the client is then
 *   `refused`. Anything else that it throws counts as a failure that may pass.
 * @throws Error when no `url` is given and there is no page to take it from
 */
export function connectSocket(token: TokenProvider, options: ConnectOptions = {}): ChatClient {
  const url = (options.url ?? globalThis.location?.origin ?? '').replace(/\/+$/, '');
  if (url === '') {
    throw new Error('connectSocket needs a url outside of a page');
  }
  return new ChatClient({
    token,
    userId: options.userId,
    restUrl: (options.restUrl ?? url).replace(/\/+$/, ''),
    openWire:
      options.openWire ??
      socketIoWires({
        url,
        path: options.path ?? '/socket.io',
        transports: options.transports ?? ['websocket', 'polling'],
      }),
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    storage: options.storage ?? memoryOutbox(),
    keepMessages: options.keepMessages ?? 500,
  });
}
