import type { OnlineStatus } from './shapes.ts';

export interface PresenceChange {
  userId: string;
  online: boolean;
  /** ISO 8601; null when a snapshot told, which does not say. */
  lastSeenAt: string | null;
}

/** Which friends are online, as far as the server has told. Bounded by the number of friends. */
export class Presence {
  readonly #online = new Set<string>();

  get online(): ReadonlySet<string> {
    return this.#online;
  }

  /** Of a connection that begins: gives what is different. */
  takeSnapshot(online: readonly string[]): PresenceChange[] {
    const now = new Set(online);
    const gone = [...this.#online].filter((userId) => !now.has(userId));
    const come = online.filter((userId) => !this.#online.has(userId));
    for (const userId of gone) {
      this.#online.delete(userId);
    }
    for (const userId of come) {
      this.#online.add(userId);
    }
    return [
      ...gone.map((userId) => ({ userId, online: false, lastSeenAt: null })),
      ...come.map((userId) => ({ userId, online: true, lastSeenAt: null })),
    ];
  }

  take({ userId, online, lastSeenAt }: OnlineStatus): PresenceChange {
    if (online) {
      this.#online.add(userId);
    } else {
      this.#online.delete(userId);
    }
    return { userId, online, lastSeenAt };
  }
}
