import type { Adapter, BroadcastOptions } from 'socket.io-adapter';
import WebSocket from 'ws';
import { RoomMembers } from './room-members.ts';
import { type Client, deliverInThisTurn, type Receiver, watch } from './turn-of-the-loop.ts';

/** What is used of a Socket.IO socket; its types hide some of it. */
interface LocalSocket {
  readonly id: string;
  readonly client: Client;
}

/** Of ws; its types leave it out. */
interface WithSender {
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
}

/** How much was delivered; shared by all fan-outs of a process. */
export interface DeliveryCounts {
  broadcasts: number;
  deliveries: number;
}

/** Delivers broadcasts to the sockets of this process that are meant. */
export interface FanOut {
  broadcast(packet: unknown, options: BroadcastOptions): void;
  /**
   * An event of the main namespace that was encoded by another process.
   *
   * @param args the name and the arguments as a JSON array in UTF-8; copied
   */
  passOn(args: Buffer, options: BroadcastOptions): void;
}

/**
 * What `Adapter.broadcast` does, with less work for each socket: a WebSocket that takes everything
 * at once is given the frame as it is, past the queues of Engine.IO, and all frames of one turn of
 * the event loop in one write. Any other (long-polling, compressing, behind with its reading) gets it
 * the usual way, by which slow readers are bounded.
 *
 * Order is kept against everything else that a socket is sent: before Engine.IO queues a packet of
 * its own, what was gathered for that connection is written. Listeners of `onAnyOutgoing` are not told.
 */
export function createFanOut(adapter: Adapter, counts: DeliveryCounts): FanOut {
  const { nsp } = adapter;
  const { encoder } = nsp.server as unknown as { encoder: { encode(packet: unknown): unknown[] } };
  const sockets = nsp.sockets as unknown as ReadonlyMap<string, LocalSocket>;
  const members = new RoomMembers<Receiver>(adapter, (id) => {
    const socket = sockets.get(id);
    return socket === undefined ? null : receiverOf(socket);
  });

  function receiversIn(rooms: ReadonlySet<string>): Iterable<Receiver> {
    if (rooms.size === 0) {
      return [...sockets.values()].map(receiverOf);
    }
    const lists = [...rooms].map((room) => members.of(room));
    if (lists.length === 1) {
      return lists[0] ?? [];
    }
    return new Map(lists.flat().map((receiver) => [receiver.id, receiver])).values();
  }

  function idsIn(rooms: Iterable<string>): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const room of rooms) {
      for (const id of adapter.rooms.get(room) ?? []) {
        ids.add(id);
      }
    }
    return ids;
  }

  function count(deliveries: number): void {
    counts.broadcasts += 1;
    counts.deliveries += deliveries;
  }

  /** @param encode gives what Socket.IO's encoder gives */
  function deliver(frame: Buffer, encode: () => unknown[], options: BroadcastOptions): void {
    let encoded: unknown[] | null = null;
    const engineOptions = engineOptionsOf(options, [frame]);
    deliverInThisTurn({
      receivers: receiversIn(options.rooms),
      excluded: idsIn(options.except ?? []),
      frame,
      sendOtherwise(client) {
        encoded ??= encode();
        client.writeToEngine(encoded, engineOptions);
      },
      done: count,
    });
  }

  /** With binary parts: several packets, which belong together. */
  function deliverParts(encoded: unknown[], options: BroadcastOptions): void {
    const excluded = idsIn(options.except ?? []);
    const engineOptions = engineOptionsOf(options);
    let deliveries = 0;
    for (const { id, client } of receiversIn(options.rooms)) {
      if (!excluded.has(id)) {
        client.writeToEngine(encoded, engineOptions);
        deliveries += 1;
      }
    }
    count(deliveries);
  }

  return {
    broadcast(packet, options) {
      (packet as { nsp: string }).nsp = nsp.name;
      const encoded = encoder.encode(packet);
      const [text] = encoded;
      if (encoded.length === 1 && typeof text === 'string') {
        deliver(frameOf(Buffer.from(`4${text}`)), () => encoded, options);
      } else {
        deliverParts(encoded, options);
      }
    },
    passOn(args, options) {
      // A message of Engine.IO, an event of Socket.IO.
      const data = Buffer.concat([EVENT_MESSAGE, args]);
      deliver(frameOf(data), () => [data.toString('utf8', 1)], options);
    },
  };
}

const EVENT_MESSAGE = Buffer.from('42');

function receiverOf({ id, client }: LocalSocket): Receiver {
  const { conn } = client;
  watch(conn);
  return { id, client, conn };
}

function engineOptionsOf({ flags }: BroadcastOptions, wsPreEncodedFrame?: readonly Buffer[]) {
  const { volatile, compress } = flags ?? {};
  const options = { preEncoded: true, volatile, compress };
  return wsPreEncodedFrame === undefined ? options : { ...options, wsPreEncodedFrame };
}

/** One unmasked text frame (RFC 6455). */
function frameOf(data: Buffer): Buffer {
  const parts = (WebSocket as unknown as WithSender).Sender.frame(data, {
    fin: true,
    rsv1: false,
    opcode: 1,
    mask: false,
    readOnly: false,
  });
  return Buffer.concat(parts);
}
