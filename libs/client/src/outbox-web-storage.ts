import {
  inOrder,
  type OpenOutboxStorage,
  type OutboxRow,
  type StoredRow,
  storageError,
} from './outbox-storage.ts';

/**
 * `localStorage` (or `sessionStorage`): small, everywhere, and written in the turn of the loop that
 * sends. One key for each row, so that tabs do not overwrite each other's.
 *
 * @param options.storage default `localStorage`, looked up at the first use: where it is blocked,
 *   even naming it throws
 */
export function webStorageOutbox(
  options: { storage?: Storage; prefix?: string } = {},
): OpenOutboxStorage {
  const { prefix = 'bambochat-outbox' } = options;
  return (userId) => {
    const start = `${prefix}:${userId}:`;
    let lastPlace = 0;

    function storage(): Storage {
      return options.storage ?? globalThis.localStorage;
    }

    /** `<start><place>:<clientMessageId>`; the id may hold anything, so it comes last. */
    function keyOf(row: { place: number; clientMessageId: string }): string {
      return `${start}${row.place}:${row.clientMessageId}`;
    }

    function keys(): string[] {
      const found: string[] = [];
      const all = storage();
      for (let index = 0; index < all.length; index += 1) {
        const key = all.key(index);
        if (key?.startsWith(start) === true) {
          found.push(key);
        }
      }
      return found;
    }

    return {
      sharedName: start,
      load: (limit) =>
        attempt(() => {
          const rows = keys().flatMap((key) => rowIn(storage().getItem(key)));
          return rows.sort(inOrder).slice(0, limit);
        }),
      add: (row: OutboxRow) =>
        attempt(() => {
          const places = keys().map((key) => Number.parseInt(key.slice(start.length), 10) || 0);
          const place = places.reduce((a, b) => Math.max(a, b), lastPlace) + 1;
          const stored: StoredRow = { ...row, place };
          storage().setItem(keyOf(stored), JSON.stringify(stored));
          lastPlace = place;
          return place;
        }),
      remove: (row) => attempt(() => storage().removeItem(keyOf(row))),
      close() {},
    };
  };
}

/** What somebody else wrote under such a key, or an older version, is not sent to anybody. */
function rowIn(text: string | null): StoredRow[] {
  try {
    const row = JSON.parse(text ?? 'null') as Partial<StoredRow> | null;
    const complete =
      typeof row?.place === 'number' &&
      typeof row.clientMessageId === 'string' &&
      typeof row.conversationId === 'string' &&
      typeof row.content === 'string' &&
      typeof row.createdAt === 'string';
    return complete ? [row as StoredRow] : [];
  } catch {
    return [];
  }
}

async function attempt<Result>(action: () => Result): Promise<Result> {
  try {
    return action();
  } catch (error) {
    throw storageError(error);
  }
}
