import {
  type OpenOutboxStorage,
  type OutboxRow,
  type StoredRow,
  storageError,
} from './outbox-storage.ts';

const VERSION = 1;
const ROWS = 'rows';
const BY_USER = 'by-user';
/** Milliseconds; browsers have been seen to leave such requests open for ever. */
const DEADLINE = 10_000;

/** IndexedDB: room for much, and places that rise across tabs whatever the clocks say. */
export function indexedDbOutbox(
  options: { name?: string; factory?: IDBFactory } = {},
): OpenOutboxStorage {
  const { name = 'bambochat-outbox' } = options;
  return (userId) => {
    let opened: Promise<IDBDatabase> | null = null;

    function database(): Promise<IDBDatabase> {
      opened ??= openDatabase(options.factory ?? globalThis.indexedDB, name, () => {
        opened = null;
      });
      // A storage that was blocked once may be free the next time.
      opened.catch(() => {
        opened = null;
      });
      return opened;
    }

    async function transact<Result>(
      mode: IDBTransactionMode,
      action: (rows: IDBObjectStore) => IDBRequest<Result>,
    ): Promise<Result> {
      try {
        const transaction = (await database()).transaction(ROWS, mode, { durability: 'strict' });
        const request = action(transaction.objectStore(ROWS));
        return await withinDeadline<Result>((resolve, reject) => {
          transaction.oncomplete = () => resolve(request.result);
          transaction.onabort = () => reject(transaction.error ?? request.error);
          transaction.onerror = () => reject(transaction.error ?? request.error);
        });
      } catch (error) {
        throw storageError(error);
      }
    }

    return {
      sharedName: `${name}:${userId}`,
      load: (limit) =>
        transact<StoredRow[]>('readonly', (rows) => rows.index(BY_USER).getAll(userId, limit)),
      async add(row: OutboxRow) {
        return Number(await transact('readwrite', (rows) => rows.add({ ...row, userId })));
      },
      async remove(row) {
        await transact('readwrite', (rows) => rows.delete(row.place));
      },
      close() {
        void opened?.then(
          (open) => open.close(),
          () => {},
        );
        opened = null;
      },
    };
  };
}

function openDatabase(
  factory: IDBFactory | undefined,
  name: string,
  onClosed: () => void,
): Promise<IDBDatabase> {
  return withinDeadline((resolve, reject) => {
    if (factory === undefined) {
      throw new Error('There is no IndexedDB');
    }
    const request = factory.open(name, VERSION);
    request.onupgradeneeded = () => {
      const rows = request.result.createObjectStore(ROWS, {
        keyPath: 'place',
        autoIncrement: true,
      });
      rows.createIndex(BY_USER, 'userId');
    };
    request.onsuccess = () => {
      const open = request.result;
      open.onclose = onClosed;
      open.onversionchange = () => {
        open.close();
        onClosed();
      };
      resolve(open);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('Another page holds the outbox'));
  });
}

function withinDeadline<Result>(
  start: (resolve: (result: Result) => void, reject: (error: unknown) => void) => void,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The storage does not answer')), DEADLINE);
    const settle =
      <Value>(then: (value: Value) => void) =>
      (value: Value) => {
        clearTimeout(timer);
        then(value);
      };
    try {
      start(settle(resolve), settle(reject));
    } catch (error) {
      settle(reject)(error);
    }
  });
}
