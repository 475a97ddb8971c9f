import type { Adapter, BroadcastOptions } from 'socket.io-adapter';
import WebSocket from 'ws';
import { RoomMembers } from './room-members.ts';

const gatheredFor = Symbol('gathered');

/** What is used of a Socket.IO socket and of the connection below it; their types hide some of it. */
interface LocalSocket {
  readonly id: string;
  readonly client: {
    readonly conn: Connection;
    writeToEngine(encoded: unknown[], options: object): void;
  };
}

/** Of ws; its types leave it out. */
interface WithSender {
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
}

interface Connection {
  readonly readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    readonly perMessageDeflate: unknown;
    readonly socket: RawWebSocket;
  };
  on(event: 'packetCreate', listener: (this: Connection) => void): void;
  /** Ours: what waits for the end of the turn; absent until the first time. */
  [gatheredFor]?: Gathered | null;
}

interface RawWebSocket {
  readonly readyState: number;
  /** Bytes written that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** The way that Socket.IO's own adapter sends frames which are encoded already. */
  readonly _sender: { sendFrame(frame: readonly Uint8Array[]): void };
}

/** Frames that wait for one socket are written when they are more bytes than this. */
const GATHERED_MAX = 65_536;

/**
 * Frames that were gathered for one socket, in order. Sockets that were sent the same share the
 * object, and so the bytes: in a room of a thousand a burst is put together once.
 */
class Gathered {
  readonly bytes: number;
  readonly #frame: Buffer;
  readonly #before: Gathered | null;
  #next: Gathered | null = null;
  #joined: Buffer | null = null;

  constructor(frame: Buffer, before: Gathered | null) {
    this.#frame = frame;
    this.#before = before;
    this.bytes = frame.length + (before?.bytes ?? 0);
  }

  with(frame: Buffer): Gathered {
    if (this.#next === null || this.#next.#frame !== frame) {
      this.#next = new Gathered(frame, this);
    }
    return this.#next;
  }

  joined(): Buffer {
    if (this.#before === null) {
      return this.#frame;
    }
    if (this.#joined === null) {
      const frames: Buffer[] = [];
      for (let part: Gathered | null = this; part !== null; part = part.#before) {
        frames.push(part.#frame);
      }
      this.#joined = Buffer.concat(frames.reverse(), this.bytes);
    }
    return this.#joined;
  }
}

/** What a delivery touches: the fewer objects, the fewer waits for memory. */
interface Receiver {
  readonly id: string;
  readonly client: LocalSocket['client'];
  readonly conn: Connection;
}

/** How much was delivered; shared by all fan-outs of a process. */
export interface DeliveryCounts {
  broadcasts: number;
  deliveries: number;
}

/** Delivers a broadcast to the sockets of this process that are meant. */
export type FanOut = (packet: unknown, options: BroadcastOptions) => void;

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
  /** Connections for which something was gathered in this turn. */
  let waiting: Connection[] = [];

  function writeAll(): void {
    const connections = waiting;
    waiting = [];
    for (const connection of connections) {
      writeGathered.call(connection);
    }
  }

  function gather(connection: Connection, frame: Buffer, alone: Gathered): void {
    const before = connection[gatheredFor];
    if (before === undefined) {
      connection.on('packetCreate', writeGathered);
    }
    const gathered = before == null ? alone : before.with(frame);
    connection[gatheredFor] = gathered;
    if (gathered.bytes > GATHERED_MAX) {
      writeGathered.call(connection);
    } else if (gathered === alone) {
      waiting.push(connection);
      if (waiting.length === 1) {
        setImmediate(writeAll);
      }
    }
  }

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

  return (packet, options) => {
    const { volatile, compress } = options.flags ?? {};
    (packet as { nsp: string }).nsp = nsp.name;
    const encoded = encoder.encode(packet);
    const [text] = encoded;
    const isText = encoded.length === 1 && typeof text === 'string';
    const frame = isText ? frameOf(text) : null;
    const alone = frame === null ? null : new Gathered(frame, null);
    const engineOptions = {
      preEncoded: true,
      volatile,
      compress,
      ...(frame === null ? {} : { wsPreEncodedFrame: [frame] }),
    };

    const excluded = idsIn(options.except ?? []);
    let deliveries = 0;
    for (const { id, client, conn } of receiversIn(options.rooms)) {
      if (excluded.size > 0 && excluded.has(id)) {
        continue;
      }
      deliveries += 1;
      if (frame === null || alone === null || !takesAtOnce(conn)) {
        client.writeToEngine(encoded, engineOptions);
      } else {
        gather(conn, frame, alone);
      }
    }
    counts.broadcasts += 1;
    counts.deliveries += deliveries;
  };
}

/** At the end of the turn, or before something else is sent. */
function writeGathered(this: Connection): void {
  const gathered = this[gatheredFor];
  if (gathered != null) {
    this[gatheredFor] = null;
    const { socket } = this.transport;
    // What was on its way to a connection that has closed meanwhile is lost with it.
    if (socket?.readyState === WebSocket.OPEN) {
      socket._sender.sendFrame([gathered.joined()]);
    }
  }
}

function receiverOf({ id, client }: LocalSocket): Receiver {
  return { id, client, conn: client.conn };
}

function takesAtOnce({ readyState, transport, writeBuffer }: Connection): boolean {
  return (
    transport.writable &&
    writeBuffer.length === 0 &&
    readyState === 'open' &&
    transport.name === 'websocket' &&
    !transport.perMessageDeflate &&
    transport.socket.bufferedAmount === 0
  );
}

/** One unmasked text frame (RFC 6455); `4` is a message of Engine.IO. */
function frameOf(text: string): Buffer {
  const data = Buffer.from(`4${text}`);
  const parts = (WebSocket as unknown as WithSender).Sender.frame(data, {
    fin: true,
    rsv1: false,
    opcode: 1,
    mask: false,
    readOnly: false,
  });
  return Buffer.concat(parts);
}
