import type { ChatClient, OnlineStatus } from '@bambochat/client';
import { Store } from '../state/store.ts';

export interface Whereabouts {
  readonly online: ReadonlySet<string>;
  /** ISO 8601, of friends who are not online, as far as known. */
  readonly lastSeen: ReadonlyMap<string, string>;
}

/** Which friends are online, and since when the others are not. */
export class PresenceBoard {
  readonly store: Store<Whereabouts>;
  readonly #client: ChatClient;

  constructor(client: ChatClient) {
    this.#client = client;
    this.store = new Store<Whereabouts>({ online: new Set(client.online), lastSeen: new Map() });
    // Without a connection nobody knows.
    client.on('state', () => {
      this.store.update((board) => ({ ...board, online: this.#online() }));
    });
    client.on('presence', ({ userId, online, lastSeenAt }) => {
      const lastSeen = new Map(this.store.get().lastSeen);
      if (!online) {
        lastSeen.set(userId, lastSeenAt ?? new Date().toISOString());
      }
      this.store.set({ online: this.#online(), lastSeen });
    });
  }

  /** What the directory says; who is online is told live, and better. */
  learn(statuses: readonly OnlineStatus[]): void {
    const lastSeen = new Map(statuses.map(({ userId, lastSeenAt }) => [userId, lastSeenAt]));
    this.store.set({ online: this.#online(), lastSeen });
  }

  #online(): ReadonlySet<string> {
    const { state, online } = this.#client;
    const isConnected = state.name === 'live' || state.name === 'catching-up';
    return new Set(isConnected ? online : []);
  }
}
