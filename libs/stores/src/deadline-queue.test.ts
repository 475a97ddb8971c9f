import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineQueue } from './deadline-queue.ts';

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const change = fc.oneof(
  fc.record({ set: id, deadline: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ delete: id }),
);

test('holds each id once, by its last deadline, in order of deadline and id', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const queue = new DeadlineQueue<string>();
      const expected = new Map<string, number>();
      for (const one of changes) {
        if ('set' in one) {
          queue.set(one.set, one.deadline);
          expected.set(one.set, one.deadline);
        } else {
          queue.delete(one.delete);
          expected.delete(one.delete);
        }
      }
      expect(queue.size).toBe(expected.size);
      const order: [string, number][] = [];
      for (let due = queue.due(9); due; due = queue.due(9)) {
        order.push([due.id, due.deadline]);
        expect(queue.has(due.id)).toBe(true);
        queue.delete(due.id);
        expect(queue.has(order.at(-1)?.[0] ?? '')).toBe(false);
      }
      const sorted = [...expected].sort(
        ([one, early], [other, late]) => early - late || (one < other ? -1 : 1),
      );
      expect(order).toEqual(sorted);
    }),
  );
});

test('gives nothing before its deadline', () => {
  const queue = new DeadlineQueue<string>();
  expect(queue.due(Number.MAX_SAFE_INTEGER)).toBeUndefined();
  queue.set('a', 5);
  expect(queue.due(4)).toBeUndefined();
  expect(queue.due(5)).toEqual({ id: 'a', deadline: 5 });
});
