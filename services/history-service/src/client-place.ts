import { randomBytes } from 'node:crypto';
import { AppError, type UserId } from '@bambochat/protocol';
import type { Place, SyncStore } from '@bambochat/stores';
import {
  type Cursors,
  checkOf,
  decodeCursors,
  decodeToken,
  encodeCursors,
  encodeToken,
} from './sync-token.ts';

export type PlaceStore = Pick<SyncStore, 'place' | 'savePlace'>;

/** Where a client was when it asked last. */
export interface ClientPlace {
  readonly cursors: Cursors;
  /** Null at the beginning. */
  readonly token: string | null;
  /** Where the cursors are kept, if the token does not hold them. */
  readonly saved: Place | null;
}

export const beginning: ClientPlace = { cursors: new Map(), token: null, saved: null };

/** Bytes of cursors that a token holds: about 225 conversations, 6,000 characters of a URL. */
export const TOKEN_CURSORS_MAX_BYTES = 4500;
/** Milliseconds that cursors are kept after they were last used: 30 days. */
const KEPT_FOR = 30 * 24 * 3_600_000;

/** @throws AppError `VALIDATION` when the token is none of this user's, or what it names has ended. */
export async function openPlace(
  store: PlaceStore,
  userId: UserId,
  token: string,
): Promise<ClientPlace> {
  const content = decodeToken(userId, token);
  if (content?.kind === 'cursors') {
    return { cursors: content.cursors, token, saved: null };
  }
  const saved = content && (await store.place(content.id, userId, content.number));
  const cursors = saved && decodeCursors(saved.bytes);
  // Another answer to the same question may have been kept under this number meanwhile.
  if (!cursors || checkOf(saved.bytes) !== content.check) {
    throw new AppError(
      'VALIDATION',
      'since: is no token of yours, or has expired; leave it out to begin anew',
    );
  }
  return { cursors, token, saved };
}

/** @returns the token of this place: the one that came when nothing has changed. */
export async function keepPlace(
  store: PlaceStore,
  userId: UserId,
  from: ClientPlace,
  cursors: Cursors,
): Promise<string> {
  const bytes = encodeCursors(cursors);
  if (bytes.length <= TOKEN_CURSORS_MAX_BYTES) {
    return encodeToken(userId, bytes);
  }
  const { saved, token } = from;
  if (saved && token !== null && isFresh(saved) && checkOf(saved.bytes) === checkOf(bytes)) {
    return token;
  }
  const id = saved?.id ?? randomBytes(16).toString('hex');
  const number = (saved?.number ?? 0) + 1;
  const expiresAt = new Date(Date.now() + KEPT_FOR).toISOString();
  await store.savePlace({ id, userId, number, bytes, expiresAt });
  return encodeToken(userId, { kind: 'place', id, number, check: checkOf(bytes) });
}

/** More than half of its time is left: it need not be written again. */
function isFresh({ expiresAt }: Place): boolean {
  return Date.parse(expiresAt) - Date.now() > KEPT_FOR / 2;
}
