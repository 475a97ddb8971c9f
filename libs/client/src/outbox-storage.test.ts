import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, test } from 'vitest';
import { indexedDbOutbox } from './outbox-indexed-db.ts';
import { outboxStorageContract } from './outbox-storage.contract.ts';
import { memoryOutbox } from './outbox-storage.ts';
import { webStorageOutbox } from './outbox-web-storage.ts';

/** Web Storage in memory, with room for so many characters. */
function webStorage(room = 1_000_000): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()].sort()[index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem(key, value) {
      const used = [...values].reduce((sum, [k, v]) => sum + k.length + v.length, 0);
      if (used + key.length + value.length > room) {
        throw new DOMException('full', 'QuotaExceededError');
      }
      values.set(key, value);
    },
    removeItem: (key) => values.delete(key),
    clear: () => values.clear(),
  };
}

const row = {
  clientMessageId: 'one',
  conversationId: 'c',
  content: 'hello',
  createdAt: '2026-01-01T00:00:00.000Z',
};

outboxStorageContract('memory', () => memoryOutbox());
outboxStorageContract('Web Storage', () => webStorageOutbox({ storage: webStorage() }));
outboxStorageContract('IndexedDB', () => indexedDbOutbox({ factory: new IDBFactory() }));

describe('a storage that fails says so', () => {
  test('Web Storage that is full', async () => {
    const storage = webStorageOutbox({ storage: webStorage(300) })('ada');
    await storage.add(row);
    await expect(storage.add({ ...row, content: 'x'.repeat(300) })).rejects.toMatchObject({
      code: 'STORAGE',
      retryable: false,
      cause: { name: 'QuotaExceededError' },
    });
    expect(await storage.load(10)).toHaveLength(1);
  });

  test('Web Storage that is not there or blocked', async () => {
    const storage = webStorageOutbox()('ada');
    await expect(storage.add(row)).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(storage.load(10)).rejects.toMatchObject({ code: 'STORAGE' });
  });

  test('what others wrote into Web Storage is not sent', async () => {
    const shared = webStorage();
    shared.setItem('bambochat-outbox:ada:1:x', '{"place":1}');
    shared.setItem('bambochat-outbox:ada:2:y', 'no JSON');
    const storage = webStorageOutbox({ storage: shared })('ada');
    expect(await storage.load(10)).toEqual([]);
    expect(await storage.add(row)).toBe(3);
  });

  test('IndexedDB that is not there', async () => {
    const storage = indexedDbOutbox()('ada');
    await expect(storage.add(row)).rejects.toMatchObject({ code: 'STORAGE' });
  });

  test('IndexedDB that will not open now, and will later', async () => {
    const factory = new IDBFactory();
    const open = factory.open.bind(factory);
    factory.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    const storage = indexedDbOutbox({ factory })('ada');
    await expect(storage.load(10)).rejects.toMatchObject({
      code: 'STORAGE',
      cause: { name: 'SecurityError' },
    });
    factory.open = open;
    await storage.add(row);
    expect(await storage.load(10)).toHaveLength(1);
    storage.close();
  });
});
