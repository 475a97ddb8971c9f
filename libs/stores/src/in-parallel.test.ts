import { expect, test } from 'vitest';
import { inParallel } from './in-parallel.ts';

test('results come in the order of the items, never more than the limit at once', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel(3, [5, 4, 3, 2, 1, 0], async (turns) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < turns; turn += 1) {
      await Promise.resolve();
    }
    running -= 1;
    return turns * 10;
  });
  expect(results).toEqual([50, 40, 30, 20, 10, 0]);
  expect(most).toBe(3);
});

test('nothing to do is done at once', async () => {
  expect(await inParallel(3, [], () => Promise.reject(new Error('never')))).toEqual([]);
});

test('after a failure nothing else begins', async () => {
  const begun: number[] = [];
  const work = inParallel(2, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    if (item === 1) {
      throw new Error('one failed');
    }
  });
  await expect(work).rejects.toThrow('one failed');
  expect(begun.length).toBeLessThan(5);
});
