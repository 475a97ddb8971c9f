import { expect, test } from 'vitest';
import { Latency } from './latency.ts';

test('latencies of several processes are one distribution', () => {
  const [one, other] = [new Latency(), new Latency()];
  for (let value = 1; value <= 1000; value += 1) {
    (value % 2 === 0 ? one : other).record(value);
  }
  const all = new Latency();
  all.add(one.encode());
  all.add(other.encode());
  const { count, p50, p99, max } = all.summary();
  expect(count).toBe(1000);
  expect(p50).toBeCloseTo(500, -1);
  expect(p99).toBeCloseTo(990, -1);
  expect(max).toBeCloseTo(1000, -1);
});

test('clocks that differ, and waits beyond all bounds, are recorded at the ends', () => {
  const latency = new Latency();
  latency.record(-5);
  latency.record(10_000_000);
  expect(latency.count).toBe(2);
  expect(latency.percentile(50)).toBeLessThan(1);
  expect(latency.percentile(100)).toBeGreaterThan(100_000);
});

test('nothing is zero', () => {
  expect(new Latency().summary()).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
});
