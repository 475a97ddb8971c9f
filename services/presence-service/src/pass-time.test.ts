import { createLogger, createMetrics } from '@bambochat/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTime } from './pass-time.ts';
import { createPresenceServiceMetrics } from './presence-service-metrics.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const swept = { more: false, pending: false, recover: false, settled: true };

function start() {
  const script = { bus: true, store: true };
  const sweeps: number[] = [];
  const time = startTime({
    bus: { flush: async () => script.bus },
    presenceStore: {
      async sweep() {
        if (!script.store) {
          throw new Error('away');
        }
        sweeps.push(Date.now());
        return swept;
      },
      size: async () => ({ gateways: 0, pending: 0, leaving: 0 }),
    },
    aliveAt: Date.now(),
    onSwept: () => {},
    metrics: createPresenceServiceMetrics(createMetrics({ processMetrics: false })),
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  return { script, sweeps, time };
}

test.each(['bus', 'store'] as const)(
  'a %s that is back gives gateways time before a second sweep',
  async (what) => {
    const { script, sweeps, time } = start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sweeps.length).toBeGreaterThan(20);
    script[what] = false;
    await vi.advanceTimersByTimeAsync(10_000);
    sweeps.length = 0;
    script[what] = true;
    await vi.advanceTimersByTimeAsync(10_000);
    const [first = 0, second = 0, third = 0] = sweeps;
    // Longer than a gateway waits between two attempts to report.
    expect(second - first).toBeGreaterThanOrEqual(2500);
    expect(third - second).toBeLessThan(500);
    await time.stop(0);
  },
);

test('while the bus is away nothing is swept', async () => {
  const { script, sweeps, time } = start();
  await vi.advanceTimersByTimeAsync(5000);
  script.bus = false;
  sweeps.length = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sweeps).toEqual([]);
  expect(time.works).toBe(false);
  await time.stop(0);
});
