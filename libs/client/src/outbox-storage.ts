import { ChatError } from './chat-error.ts';

/** A message that waits to be confirmed. */
export interface OutboxRow {
  clientMessageId: string;
  conversationId: string;
  content: string;
  /** ISO 8601. */
  createdAt: string;
}

/** Rows are in the order of `place`, and of `clientMessageId` where two tabs took the same place. */
export interface StoredRow extends OutboxRow {
  place: number;
}

/**
 * Where rows outlive a connection, and perhaps the page. Of one user.
 *
 * Every method rejects with a ChatError `STORAGE` when the storage is full, blocked or broken; it
 * never pretends.
 */
export interface OutboxStorage {
  /**
   * Set when other pages see the same rows: the name under which they agree on who sends. Unique
   * for each user.
   */
  readonly sharedName: string | null;
  /** The first rows, at most `limit`, in order. */
  load(limit: number): Promise<StoredRow[]>;
  /** Resolves once stored, with a place behind all rows that are there. */
  add(row: OutboxRow): Promise<number>;
  /** No error when it is not there. */
  remove(row: StoredRow): Promise<void>;
  close(): void;
}

export type OpenOutboxStorage = (userId: string) => OutboxStorage;

export function storageError(cause: unknown): ChatError {
  return new ChatError('STORAGE', 'The outbox cannot be stored on this device', false, { cause });
}

export function inOrder(one: StoredRow, other: StoredRow): number {
  if (one.place !== other.place) {
    return one.place - other.place;
  }
  return one.clientMessageId < other.clientMessageId ? -1 : 1;
}

/** Outlives connections, and nothing else. For programs that run long, and for tests. */
export function memoryOutbox(): OpenOutboxStorage {
  const rows = new Map<string, Map<string, StoredRow>>();
  let place = 0;
  return (userId) => {
    const own = rows.get(userId) ?? new Map<string, StoredRow>();
    rows.set(userId, own);
    const keyOf = (row: OutboxRow) => `${row.conversationId} ${row.clientMessageId}`;
    return {
      sharedName: null,
      load: async (limit) => [...own.values()].slice(0, limit),
      async add(row) {
        place += 1;
        own.set(keyOf(row), { ...row, place });
        return place;
      },
      async remove(row) {
        own.delete(keyOf(row));
      },
      close() {},
    };
  };
}
