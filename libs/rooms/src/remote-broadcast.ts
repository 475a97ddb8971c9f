import type { BroadcastOptions } from 'socket.io-adapter';
import type { BroadcastFlags } from './emit-into-rooms.ts';

/** An event that another process has emitted into one room, as it came over Redis. */
export interface RemoteBroadcast {
  /** Of the adapter that sent it. */
  readonly uid: string;
  /** The namespace. */
  readonly nsp: string;
  readonly event: string;
  readonly room: string;
  /** Socket.IO's arguments, name first, as the JSON array that clients are sent too. */
  readonly args: Buffer;
  readonly options: BroadcastOptions;
  readonly flags: BroadcastFlags;
}

/** What is behind the packet. */
interface Rest {
  readonly data: {
    readonly opts: {
      readonly rooms: readonly string[];
      readonly except?: readonly string[];
      readonly flags?: BroadcastFlags & BroadcastOptions['flags'];
    };
    readonly requestId?: unknown;
  };
  readonly uid: string;
  readonly nsp: string;
}

const BEFORE_ARGS = Buffer.from('{"type":3,"data":{"packet":{"type":2,"data":');
/** A quote within a JSON string has a backslash before it: no text of a user contains this. */
const BEHIND_ARGS = Buffer.from(']},"opts":{"rooms":[');
const [OPENING, QUOTE, BACKSLASH] = Buffer.from('["\\');

/**
 * Finds the event in a message of the sharded adapter without parsing it: what a client is sent is in
 * it already, byte for byte. Null: it is anything else (a request, several rooms, another order of
 * the fields, no JSON), and the adapter has to look at it.
 *
 * @throws SyntaxError when what surrounds the event is broken
 */
export function readBroadcast(message: Buffer): RemoteBroadcast | null {
  const start = BEFORE_ARGS.length;
  if (
    message.length <= start ||
    BEFORE_ARGS.compare(message, 0, start) !== 0 ||
    message[start] !== OPENING ||
    message[start + 1] !== QUOTE
  ) {
    return null;
  }
  const nameEnd = message.indexOf('"', start + 2, 'latin1');
  const end = message.lastIndexOf(BEHIND_ARGS);
  if (nameEnd < 0 || end < nameEnd || message[nameEnd - 1] === BACKSLASH) {
    return null;
  }
  const { data, uid, nsp }: Rest = JSON.parse(`{"data":{${message.toString('utf8', end + 3)}`);
  const { rooms, except = [], flags = {} } = data.opts;
  const [room] = rooms;
  if (room === undefined || rooms.length > 1 || data.requestId !== undefined) {
    return null;
  }
  return {
    uid,
    nsp,
    event: message.toString('utf8', start + 2, nameEnd),
    room,
    args: message.subarray(start, end + 1),
    options: { rooms: new Set(rooms), except: new Set(except), flags },
    flags,
  };
}
