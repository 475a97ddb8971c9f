import type { Writable } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { ChatSocket } from './chat-socket.ts';

/** An Engine.IO connection: a Socket.IO handshake may come on it, or none. */
export type Connection = ChatSocket['conn'];

/** What Engine.IO's WebSocket transport wraps, and its types hide. */
interface RawWebSocket {
  readonly _socket: Writable | null;
  /** Bytes written that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** Reads nothing from the peer until `resume`. */
  pause(): void;
  resume(): void;
  /** Says goodbye; what the peer sent before it answers is still received. */
  close(): void;
  /** Drops the connection and all that waits in it. */
  terminate(): void;
}

/** Milliseconds for a peer to answer a goodbye; with ws' 30 s a hung one would outlast a drain. */
const CLOSE_TIMEOUT = 3000;

/** The WebSocket server for Engine.IO: it waits less for peers that are gone. */
export class BriskWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({ ...options, closeTimeout: CLOSE_TIMEOUT } as ServerOptions);
  }
}

/** Null for long-polling. */
export function rawWebSocketOf(connection: Connection): RawWebSocket | null {
  return (connection.transport as unknown as { socket?: RawWebSocket }).socket ?? null;
}

const noHeaders = {};

/**
 * Lets go of the HTTP request that it began with, as Socket.IO's page on memory advises: nobody asks
 * for it after the handshake, and it takes more than a KiB of each idle connection.
 */
export function releaseRequest({ conn, handshake }: ChatSocket): void {
  (conn as { request: unknown }).request = null;
  handshake.headers = noHeaders;
}

/**
 * What is emitted to one socket meanwhile goes out in one write. Engine.IO would wait until the first
 * packet is with the kernel, and then write the second.
 */
export function inOneWrite(connection: Connection, emit: () => void): void {
  const { transport } = connection;
  if (!transport.writable) {
    // What waits already goes out together.
    emit();
    return;
  }
  transport.writable = false;
  try {
    emit();
  } finally {
    transport.writable = true;
    const tcp = rawWebSocketOf(connection)?._socket;
    tcp?.cork();
    (connection as unknown as { flush(): void }).flush();
    tcp?.uncork();
  }
}

/** Takes nothing in until it is sent away: what was taken in can be confirmed before. */
export function stopListeningTo(connection: Connection): void {
  rawWebSocketOf(connection)?.pause();
}

/**
 * Ends a connection so that the client comes back by itself. What it sent before it hears of it is
 * still handled; Engine.IO's own `close` would ignore that.
 */
export function sendAway(connection: Connection): void {
  const raw = rawWebSocketOf(connection);
  if (raw === null) {
    connection.close();
    return;
  }
  // Something sent after the goodbye would be an error, and end the reading.
  connection.transport.send = () => {};
  raw.resume();
  raw.close();
}

/** Ends a connection whose peer does not read, and frees at once what waits for it. */
export function cutOff(connection: Connection): void {
  const raw = rawWebSocketOf(connection);
  connection.close(true);
  raw?.terminate();
}
