import type { Adapter } from 'socket.io-adapter';

/** In smaller rooms there is nothing to gain. */
const MEMBERS_MIN = 50;
/** Rooms that are remembered. */
const ROOMS_MAX = 1000;

/**
 * The sockets of a room as a list, remembered until somebody comes or goes: the adapter has ids
 * only, and looking each up for each message is a good part of what a delivery costs.
 */
export class RoomMembers<Socket> {
  readonly #adapter: Adapter;
  readonly #sockets: ReadonlyMap<string, Socket>;
  /** The oldest first. */
  readonly #lists = new Map<string, readonly Socket[]>();

  constructor(adapter: Adapter, sockets: ReadonlyMap<string, Socket>) {
    this.#adapter = adapter;
    this.#sockets = sockets;
    const forget = (room: string) => void this.#lists.delete(room);
    for (const event of ['join-room', 'leave-room', 'delete-room']) {
      adapter.on(event, forget);
    }
  }

  /** Those that are connected; a socket may be in its rooms a little earlier. */
  of(room: string): readonly Socket[] {
    const known = this.#lists.get(room);
    if (known !== undefined) {
      return known;
    }
    const ids = this.#adapter.rooms.get(room) ?? new Set<string>();
    const list: Socket[] = [];
    for (const id of ids) {
      const socket = this.#sockets.get(id);
      if (socket !== undefined) {
        list.push(socket);
      }
    }
    // Nobody tells when a socket that is here already becomes connected.
    if (list.length >= MEMBERS_MIN && list.length === ids.size) {
      this.#remember(room, list);
    }
    return list;
  }

  #remember(room: string, list: readonly Socket[]): void {
    if (this.#lists.size >= ROOMS_MAX) {
      for (const oldest of this.#lists.keys()) {
        this.#lists.delete(oldest);
        break;
      }
    }
    this.#lists.set(room, list);
  }
}
