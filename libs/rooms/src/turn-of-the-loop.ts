import WebSocket from 'ws';

/**
 * What waits for the end of the turn, at the connection it is for. Absent: not watched yet; null:
 * nothing waits.
 */
const gatheredFor = Symbol('gathered');

/** What is used of an Engine.IO connection; its types hide some of it. */
export interface Connection {
  readonly readyState: string;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    readonly perMessageDeflate: unknown;
    readonly socket: RawWebSocket;
  };
  on(event: 'packetCreate', listener: (this: Connection) => void): void;
  [gatheredFor]?: Gathered | null;
}

interface RawWebSocket {
  readonly readyState: number;
  /** Bytes written that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** The way that Socket.IO's own adapter sends frames which are encoded already. */
  readonly _sender: { sendFrame(frame: readonly Uint8Array[]): void };
}

/** What a delivery touches of a socket: the fewer objects, the fewer waits for memory. */
export interface Receiver {
  readonly id: string;
  readonly client: Client;
  readonly conn: Connection;
}

export interface Client {
  readonly conn: Connection;
  writeToEngine(encoded: unknown[], options: object): void;
}

/** One event for many sockets. */
export interface Delivery {
  readonly receivers: Iterable<Receiver>;
  /** Ids of receivers that are left out. */
  readonly excluded: ReadonlySet<string>;
  /** A whole WebSocket frame. */
  readonly frame: Buffer;
  /** The same by way of Engine.IO, for sockets that cannot take the frame at once. */
  readonly sendOtherwise: (client: Client) => void;
  /** Called with the number of sockets that were sent it. */
  readonly done: (sockets: number) => void;
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

/** The only one of its turn so far: mostly it stays alone, and then each socket is touched once. */
let alone: Delivery | null = null;
/** Connections for which something was gathered in this turn. */
let waiting: Connection[] = [];
let ending = false;

/**
 * Writes the event at the end of the present turn of the event loop, or earlier where something else
 * is sent to a socket: to each socket all of the turn in one write, in order.
 */
export function deliverInThisTurn(delivery: Delivery): void {
  if (!ending) {
    ending = true;
    setImmediate(endTurn);
    alone = delivery;
    return;
  }
  gatherTheOneAlone();
  gatherAll(delivery);
}

/** Before anything is delivered to it: what it is sent otherwise must not overtake that. */
export function watch(connection: Connection): void {
  if (connection[gatheredFor] === undefined) {
    connection[gatheredFor] = null;
    connection.on('packetCreate', beforeSomethingElse);
  }
}

function endTurn(): void {
  ending = false;
  const delivery = alone;
  alone = null;
  if (delivery !== null) {
    writeAtOnce(delivery);
  }
  const connections = waiting;
  waiting = [];
  for (const connection of connections) {
    writeGathered(connection);
  }
}

function beforeSomethingElse(this: Connection): void {
  gatherTheOneAlone();
  writeGathered(this);
}

function gatherTheOneAlone(): void {
  if (alone !== null) {
    const delivery = alone;
    alone = null;
    gatherAll(delivery);
  }
}

function writeAtOnce({ receivers, excluded, frame, sendOtherwise, done }: Delivery): void {
  const frames = [frame];
  let sockets = 0;
  for (const { id, client, conn } of receivers) {
    if (excluded.size > 0 && excluded.has(id)) {
      continue;
    }
    sockets += 1;
    if (takesAtOnce(conn)) {
      conn.transport.socket._sender.sendFrame(frames);
    } else {
      sendOtherwise(client);
    }
  }
  done(sockets);
}

function gatherAll({ receivers, excluded, frame, sendOtherwise, done }: Delivery): void {
  const single = new Gathered(frame, null);
  let sockets = 0;
  for (const { id, client, conn } of receivers) {
    if (excluded.size > 0 && excluded.has(id)) {
      continue;
    }
    sockets += 1;
    if (takesAtOnce(conn)) {
      gather(conn, frame, single);
    } else {
      sendOtherwise(client);
    }
  }
  done(sockets);
}

function gather(connection: Connection, frame: Buffer, single: Gathered): void {
  const before = connection[gatheredFor];
  const gathered = before == null ? single : before.with(frame);
  connection[gatheredFor] = gathered;
  if (gathered.bytes > GATHERED_MAX) {
    writeGathered(connection);
  } else if (gathered === single) {
    waiting.push(connection);
  }
}

function writeGathered(connection: Connection): void {
  const gathered = connection[gatheredFor];
  if (gathered != null) {
    connection[gatheredFor] = null;
    const { socket } = connection.transport;
    // What was on its way to a connection that has closed meanwhile is lost with it.
    if (socket?.readyState === WebSocket.OPEN) {
      socket._sender.sendFrame([gathered.joined()]);
    }
  }
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
