import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import manifest from '../package.json' with { type: 'json' };
import type { Metrics } from './metrics.ts';

/**
 * Milliseconds between two looks at the event loop. Each wakes the process up: ten a second were
 * most of what an idle gateway cost.
 */
const LOOK_INTERVAL = 1000;

/** What every process tells of itself, besides what prom-client collects (`process_…`, `nodejs_…`). */
export function observeProcess(metrics: Metrics, service: string): { stop(): void } {
  metrics.read({
    type: 'gauge',
    name: 'bambochat_build_info',
    help: 'Always 1; says which service this is and of which version.',
    labelNames: ['service', 'version'],
    read: () => [{ labels: { service, version: manifest.version }, value: 1 }],
  });
  metrics.read({
    type: 'gauge',
    name: 'bambochat_memory_limit_bytes',
    help: 'Memory that the process and its neighbours in the container may use; absent without a limit.',
    read: () => memoryLimit(),
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_event_loop_active_seconds_total',
    help: 'Time that the event loop was not idle: what is left of a second is its reserve.',
    read: () => performance.eventLoopUtilization().active / 1000,
  });
  const delay = metrics.histogram({
    name: 'bambochat_event_loop_delay_seconds',
    help: 'By how much a timer came late, looked at once a second.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  let expected = performance.now() + LOOK_INTERVAL;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - expected) / 1000);
    expected = now + LOOK_INTERVAL;
  }, LOOK_INTERVAL);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Of the control group; larger than the machine, or zero, means that there is none. */
function memoryLimit(): { labels: Record<string, never>; value: number }[] {
  const limit = process.constrainedMemory();
  return limit > 0 && limit <= totalmem() ? [{ labels: {}, value: limit }] : [];
}
