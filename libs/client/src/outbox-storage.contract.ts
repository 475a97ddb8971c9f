import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OpenOutboxStorage, OutboxRow, OutboxStorage } from './outbox-storage.ts';

function row(name: string, conversationId = 'c'): OutboxRow {
  return {
    clientMessageId: name,
    conversationId,
    content: `${name} says: "quotes", ünïcödé 🐼\nand lines`,
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}
const names = (rows: readonly OutboxRow[]) => rows.map(({ clientMessageId }) => clientMessageId);

/** What every storage of an outbox does. @param create gives an empty one */
export function outboxStorageContract(name: string, create: () => OpenOutboxStorage): void {
  describe(`${name} as an outbox storage`, () => {
    let open: OpenOutboxStorage;
    let storage: OutboxStorage;
    beforeEach(() => {
      open = create();
      storage = open('ada');
    });
    afterEach(() => storage.close());

    test('gives back what was added, as it was, in that order', async () => {
      for (const id of ['z', 'a', 'm:with:colons', '10', '9']) {
        await storage.add(row(id));
      }
      const rows = await storage.load(100);
      expect(names(rows)).toEqual(['z', 'a', 'm:with:colons', '10', '9']);
      expect(rows[0]).toMatchObject(row('z'));
      const places = rows.map(({ place }) => place);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(new Set(places).size).toBe(5);
    });

    test('gives the place under which a row can be removed', async () => {
      const place = await storage.add(row('one'));
      await storage.add(row('two'));
      await storage.remove({ ...row('one'), place });
      await storage.remove({ ...row('one'), place });
      expect(names(await storage.load(100))).toEqual(['two']);
    });

    test('puts what is added behind all that is there, also after being opened again', async () => {
      for (let count = 0; count < 12; count += 1) {
        await storage.add(row(`before ${count}`));
      }
      storage.close();
      storage = open('ada');
      await storage.add(row('after'));
      expect(names(await storage.load(100)).at(-1)).toBe('after');
      expect(names(await storage.load(3))).toEqual(['before 0', 'before 1', 'before 2']);
    });

    test('keeps users apart', async () => {
      const other = open('ada.2');
      await storage.add(row('of ada'));
      await other.add(row('of somebody else'));
      expect(names(await storage.load(100))).toEqual(['of ada']);
      expect(names(await other.load(100))).toEqual(['of somebody else']);
      other.close();
    });

    test('two that share it see the same rows', async () => {
      const tab = open('ada');
      await storage.add(row('one'));
      await tab.add(row('two'));
      await storage.add(row('three'));
      expect(names(await tab.load(100))).toEqual(['one', 'two', 'three']);
      expect(tab.sharedName).toBe(storage.sharedName);
      tab.close();
    });
  });
}
