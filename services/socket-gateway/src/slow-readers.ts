import type { Logger } from '@bambochat/runtime';
import type { ChatServer } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { type Connection, cutOff, rawWebSocketOf } from './raw-web-socket.ts';

export interface SlowReaders {
  /** Begins to watch a connection. */
  watch(connection: Connection): void;
  /** Something waits in this process because its transport is busy. */
  hasBacklog(connection: Connection): boolean;
  /** What it does not need had better not be sent: a quarter of its buffer is full. */
  isBehind(connection: Connection): boolean;
  /** Once it has taken what waits for it; never when it does not. The last one counts. */
  onceCaughtUp(connection: Connection, repair: () => void): void;
  /** No connection has anything waiting for it: nobody needs to be asked. */
  readonly none: boolean;
  /** Bytes that wait in this process for all connections that do not take them at once. */
  readonly bufferedBytes: number;
}

/** A packet of Engine.IO as it is queued. */
interface Packet {
  data?: unknown;
  options?: { wsPreEncodedFrame?: readonly Uint8Array[] };
}

/** What waits in a connection whose transport was busy when it was to be sent something. */
interface Backlog {
  bytes: number;
  cut: boolean;
  repair: (() => void) | null;
}

/** Bytes that a queued packet takes besides its content: the bound holds for tiny ones as well. */
const PACKET_OVERHEAD = 128;

/**
 * Bounds what waits for a connection that reads more slowly than it is sent to: in Engine.IO's queue
 * and in the WebSocket. Past `max` bytes it is cut off and its memory is free; the client sees a
 * broken transport, comes back by itself and fetches what it missed. Nobody else waits for it.
 *
 * There is one listener for all connections and an entry only for those whose transport is busy; to
 * one that keeps up a packet costs a call and a comparison. Volatile events need nothing here:
 * Socket.IO drops them as soon as the transport is busy.
 */
export function boundSendBuffers(options: {
  server: ChatServer;
  /** Bytes of one connection. */
  max: number;
  metrics: GatewayMetrics;
  logger: Logger;
}): SlowReaders {
  const { server, max, metrics, logger } = options;
  const backlogs = new Map<Connection, Backlog>();
  let lastLogged = Number.NEGATIVE_INFINITY;
  let cutSinceLogged = 0;

  function waitingFor(connection: Connection, backlog: Backlog): number {
    return backlog.bytes + (rawWebSocketOf(connection)?.bufferedAmount ?? 0);
  }

  function queued(this: Connection, packet: Packet): void {
    if (this.transport.writable) {
      return;
    }
    let backlog = backlogs.get(this);
    if (backlog === undefined) {
      backlog = { bytes: 0, cut: false, repair: null };
      backlogs.set(this, backlog);
    }
    backlog.bytes += sizeOf(packet);
    if (!backlog.cut && waitingFor(this, backlog) > max) {
      backlog.cut = true;
      // Not in the middle of a broadcast: its leaving is told to others, who are still being sent to.
      queueMicrotask(() => cut(this));
    }
  }

  function cut(connection: Connection): void {
    metrics.slowReaders.inc();
    cutSinceLogged += 1;
    // A room full of them is one line a second.
    if (performance.now() - lastLogged >= 1000) {
      logger.warn({ connections: cutSinceLogged, max }, 'slow readers were cut off');
      lastLogged = performance.now();
      cutSinceLogged = 0;
    }
    cutOff(connection);
  }

  function flushed(connection: Connection): void {
    const backlog = backlogs.get(connection);
    if (backlog !== undefined) {
      backlogs.delete(connection);
      backlog.repair?.();
    }
  }

  function forget(this: Connection): void {
    backlogs.delete(this);
  }

  // Emitted before the queue is handed to the transport.
  server.engine.on('flush', flushed);

  return {
    watch(connection) {
      connection.on('packetCreate', queued);
      connection.on('close', forget);
    },
    hasBacklog: (connection) => backlogs.has(connection),
    isBehind(connection) {
      const backlog = backlogs.get(connection);
      return backlog !== undefined && waitingFor(connection, backlog) > max / 4;
    },
    onceCaughtUp(connection, repair) {
      const backlog = backlogs.get(connection);
      if (backlog !== undefined) {
        backlog.repair = repair;
      }
    },
    get none() {
      return backlogs.size === 0;
    },
    get bufferedBytes() {
      let bytes = 0;
      for (const [connection, backlog] of backlogs) {
        bytes += waitingFor(connection, backlog);
      }
      return bytes;
    },
  };
}

function sizeOf({ data, options }: Packet): number {
  // Encoded once for a whole room; a string otherwise.
  const frame = options?.wsPreEncodedFrame;
  if (frame !== undefined) {
    return frame.reduce((sum, part) => sum + part.byteLength, PACKET_OVERHEAD);
  }
  if (typeof data === 'string') {
    return PACKET_OVERHEAD + Buffer.byteLength(data);
  }
  return PACKET_OVERHEAD + (data instanceof Uint8Array ? data.byteLength : 0);
}
