import { expect, test } from 'vitest';
import { createAdmissionQueue } from './admission-queue.ts';

const patient = () => new AbortController();

test('only so many are inside, the others follow in their order', async () => {
  const queue = createAdmissionQueue({ atOnce: 2, maxWaiting: 10 });
  const order: number[] = [];
  const entered = Array.from({ length: 5 }, (_, index) =>
    queue.enter(patient().signal).then((turn) => turn && order.push(index)),
  );
  await Promise.all(entered.slice(0, 2));
  expect([order, queue.waiting]).toEqual([[0, 1], 3]);
  queue.leave();
  await entered[2];
  expect([order, queue.waiting]).toEqual([[0, 1, 2], 2]);
  queue.leave();
  queue.leave();
  await Promise.all(entered);
  expect([order, queue.waiting]).toEqual([[0, 1, 2, 3, 4], 0]);
});

test('who finds no place to wait is turned away, until there is one', async () => {
  const queue = createAdmissionQueue({ atOnce: 1, maxWaiting: 1 });
  expect(await queue.enter(patient().signal)).toBe(true);
  const waits = queue.enter(patient().signal);
  expect(queue.full).toBe(true);
  expect(await queue.enter(patient().signal)).toBe(false);
  queue.leave();
  expect([await waits, queue.full]).toEqual([true, false]);
});

test('who gives up waiting makes place at once, and is passed over', async () => {
  const queue = createAdmissionQueue({ atOnce: 1, maxWaiting: 2 });
  await queue.enter(patient().signal);
  const [gone, stays] = [patient(), patient()];
  const [first, second] = [queue.enter(gone.signal), queue.enter(stays.signal)];
  gone.abort();
  expect([await first, queue.waiting, queue.full]).toEqual([false, 1, false]);
  queue.leave();
  expect(await second).toBe(true);
  // Too late to matter.
  stays.abort();
  queue.leave();
  expect(await queue.enter(patient().signal)).toBe(true);
  expect(await queue.enter(gone.signal)).toBe(false);
});
