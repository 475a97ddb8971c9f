import { expect, test } from 'vitest';
import { inBatches } from './in-batches.ts';

test('every key is asked for once, few with each query, and all answers are given', async () => {
  const batches: number[][] = [];
  const keys = Array.from({ length: 60 }, (_, index) => index);
  const found = await inBatches([...keys, ...keys], async (batch) => {
    batches.push(batch);
    return batch.flatMap((key) => (key % 2 === 0 ? [`found ${key}`] : []));
  });
  expect(batches.map(({ length }) => length)).toEqual([25, 25, 10]);
  expect(batches.flat()).toEqual(keys);
  expect(found).toEqual(keys.filter((key) => key % 2 === 0).map((key) => `found ${key}`));
});

test('without keys nothing is asked', async () => {
  const asked = await inBatches([], () => Promise.reject(new Error('was asked')));
  expect(asked).toEqual([]);
});
