import type { Adapter } from 'socket.io-adapter';

/** In smaller rooms there is nothing to gain. */
const MEMBERS_MIN = 50;
/** Rooms that are remembered. */
const ROOMS_MAX = 1000;

/**
 * What is needed of the members of a room, as a list that is remembered until somebody comes or goes:
 * the adapter has ids only, and looking each up for each message is a good part of what a delivery
 * costs.
 */
export class RoomMembers<Member> {
  readonly #adapter: Adapter;
  readonly #find: (id: string) => Member | null;
  /** The oldest first. */
  readonly #lists = new Map<string, readonly Member[]>();

  /** @param find by the id of a socket; null: it is not connected */
  constructor(adapter: Adapter, find: (id: string) => Member | null) {
    this.#adapter = adapter;
    this.#find = find;
    const forget = (room: string) => void this.#lists.delete(room);
    for (const event of ['join-room', 'leave-room', 'delete-room']) {
      adapter.on(event, forget);
    }
  }

  /** Those that are connected; a socket may be in its rooms a little earlier. */
  of(room: string): readonly Member[] {
    const known = this.#lists.get(room);
    if (known !== undefined) {
      return known;
    }
    const ids = this.#adapter.rooms.get(room) ?? new Set<string>();
    const list: Member[] = [];
    for (const id of ids) {
      const member = this.#find(id);
      if (member !== null) {
        list.push(member);
      }
    }
    // Nobody tells when a socket that is here already becomes connected.
    if (list.length >= MEMBERS_MIN && list.length === ids.size) {
      this.#remember(room, list);
    }
    return list;
  }

  #remember(room: string, list: readonly Member[]): void {
    if (this.#lists.size >= ROOMS_MAX) {
      for (const oldest of this.#lists.keys()) {
        this.#lists.delete(oldest);
        break;
      }
    }
    this.#lists.set(room, list);
  }
}
