import { expect, test } from 'vitest';
import { arrivals } from './schedule.ts';

/** A small linear congruential generator, so that the test is the same each time. */
function seeded(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test('as many messages as the rate says, in order, spread as chance has it', () => {
  const due = [...arrivals(500, 20_000, seeded())];
  expect(due.length).toBeGreaterThan(9500);
  expect(due.length).toBeLessThan(10_500);
  expect(due).toEqual([...due].sort((one, other) => one - other));
  expect(due.every((moment) => moment >= 0 && moment < 20_000)).toBe(true);
  const gaps = due.slice(1).map((moment, index) => moment - (due[index] ?? 0));
  // Of an exponential distribution with a mean of 2 ms, e⁻¹ are longer than the mean.
  const long = gaps.filter((gap) => gap > 2).length / gaps.length;
  expect(long).toBeGreaterThan(0.33);
  expect(long).toBeLessThan(0.41);
});

test('no rate, no messages', () => {
  expect([...arrivals(0, 1000)]).toEqual([]);
});
