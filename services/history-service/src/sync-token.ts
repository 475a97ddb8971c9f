import { createHash } from 'node:crypto';
import { type ConversationId, conversationIdSchema, type UserId } from '@bambochat/protocol';

/** How far a client has come in one conversation. */
export interface Cursor {
  readonly seq: number;
  /** Of the conversation's journal. */
  readonly revision: number;
}

/** How far a client has come in each of the conversations that it was given. */
export type Cursors = ReadonlyMap<ConversationId, Cursor>;

/** What a token says: the cursors themselves, or where they are kept. */
export type TokenContent =
  | { readonly kind: 'cursors'; readonly cursors: Cursors }
  | {
      readonly kind: 'place';
      readonly id: string;
      readonly number: number;
      readonly check: string;
    };

/*
 * A token is base64url of: version, kind, user, content, checksum. It is opaque and gives no rights:
 * whoever makes one up gets only what they may read anyway. The checksum tells an accident (a token
 * that was cut, of another user, of another version) from a client that really has been nowhere.
 */
const VERSION = 1;
const KINDS = ['cursors', 'place'] as const;
const USER_BYTES = 8;
const CHECKSUM_BYTES = 4;
const ID_BYTES = 16;
const CHECK_BYTES = 6;

/** Deterministic: equal cursors in the same order make equal bytes. */
export function encodeCursors(cursors: Cursors): Uint8Array {
  const bytes: number[] = [];
  for (const [conversationId, { seq, revision }] of cursors) {
    bytes.push(...Buffer.from(conversationId.replaceAll('-', ''), 'hex'));
    pushVarint(bytes, seq);
    pushVarint(bytes, revision);
  }
  return Uint8Array.from(bytes);
}

/** @returns null when the bytes are not what {@link encodeCursors} makes. */
export function decodeCursors(bytes: Uint8Array): Cursors | null {
  const cursors = new Map<ConversationId, Cursor>();
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const conversationId = conversationIdSchema.safeParse(uuidOf(take(reader, ID_BYTES)));
    const seq = takeVarint(reader);
    const revision = takeVarint(reader);
    if (!conversationId.success || seq === null || revision === null) {
      return null;
    }
    cursors.set(conversationId.data, { seq, revision });
  }
  return cursors;
}

/** Tells bytes that were kept under a name from others that took their place. */
export function checkOf(bytes: Uint8Array): string {
  return digest(bytes).subarray(0, CHECK_BYTES).toString('hex');
}

/** @param content the cursors as {@link encodeCursors} made them, or where they are kept */
export function encodeToken(
  userId: UserId,
  content: Uint8Array | Extract<TokenContent, { kind: 'place' }>,
): string {
  const body = content instanceof Uint8Array ? [...content] : [...Buffer.from(content.id, 'hex')];
  if (!(content instanceof Uint8Array)) {
    pushVarint(body, content.number);
    body.push(...Buffer.from(content.check, 'hex'));
  }
  const kind = content instanceof Uint8Array ? 0 : 1;
  const bytes = Buffer.from([VERSION, kind, ...userBytes(userId), ...body]);
  return Buffer.concat([bytes, checksum(bytes)]).toString('base64url');
}

/** @returns null when it is no token, was cut or changed, or is another user's. */
export function decodeToken(userId: UserId, token: string): TokenContent | null {
  const all = Buffer.from(token, 'base64url');
  const bytes = all.subarray(0, -CHECKSUM_BYTES);
  const header = 2 + USER_BYTES;
  if (
    // Base64 has more than one text for some bytes; only ours is a token.
    all.toString('base64url') !== token ||
    bytes.length < header ||
    !checksum(bytes).equals(all.subarray(-CHECKSUM_BYTES)) ||
    bytes[0] !== VERSION ||
    !userBytes(userId).equals(bytes.subarray(2, header))
  ) {
    return null;
  }
  const body = bytes.subarray(header);
  switch (KINDS[bytes[1] ?? KINDS.length]) {
    case 'cursors': {
      const cursors = decodeCursors(body);
      return cursors && { kind: 'cursors', cursors };
    }
    case 'place': {
      const reader = { bytes: body, at: 0 };
      const id = take(reader, ID_BYTES).toString('hex');
      const number = takeVarint(reader);
      const check = take(reader, CHECK_BYTES).toString('hex');
      const isWhole = reader.at === body.length && check.length === 2 * CHECK_BYTES;
      return number === null || !isWhole ? null : { kind: 'place', id, number, check };
    }
    default:
      return null;
  }
}

function digest(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function userBytes(userId: UserId): Buffer {
  return digest(userId).subarray(0, USER_BYTES);
}

function checksum(bytes: Uint8Array): Buffer {
  return digest(bytes).subarray(0, CHECKSUM_BYTES);
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

/** Fewer bytes than asked for at the end. */
function take(reader: Reader, count: number): Buffer {
  const taken = Buffer.from(reader.bytes.subarray(reader.at, reader.at + count));
  reader.at += taken.length;
  return taken;
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** @returns null when the bytes end too early or the number is no safe integer. */
function takeVarint(reader: Reader): number | null {
  let value = 0;
  for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined) {
      return null;
    }
    reader.at += 1;
    value += (byte % 0x80) * factor;
    if (byte < 0x80) {
      return Number.isSafeInteger(value) ? value : null;
    }
  }
  return null;
}
