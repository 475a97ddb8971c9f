import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';

function observed() {
  const metrics = createMetrics();
  const observing = observeProcess(metrics, 'a-service');
  return {
    body: async () => (await metrics.render()).body,
    async value(series: string) {
      const line = (await this.body()).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    },
    [Symbol.dispose]: () => observing.stop(),
  };
}

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('says which service it is', async () => {
  using process = observed();
  expect(await process.body()).toMatch(
    /^bambochat_build_info\{service="a-service",version="\d+\.\d+\.\d+"\} 1$/m,
  );
});

test('a blocked event loop shows in its delay, and an idle one shows none of its own pauses', async () => {
  using process = observed();
  const seen = (bucket: string) =>
    process.value(`bambochat_event_loop_delay_seconds_bucket{le="${bucket}"}`);
  const total = () => process.value('bambochat_event_loop_delay_seconds_count');
  // Looks that were in time: the interval itself is no delay.
  await waitFor(async () => ((await seen('0.1')) ?? 0) > 0);
  block(1700);
  await waitFor(async () => ((await total()) ?? 0) > ((await seen('0.5')) ?? 0));
});

test('working time adds up', async () => {
  using process = observed();
  const active = () => process.value('bambochat_event_loop_active_seconds_total');
  const before = (await active()) ?? 0;
  block(200);
  await waitFor(async () => ((await active()) ?? 0) >= before + 0.2);
});

test("prom-client's own lag, which counts the pause between two looks, is left out", async () => {
  using process = observed();
  const body = await process.body();
  expect(body).not.toContain('nodejs_eventloop_lag');
  expect(body).toContain('process_start_time_seconds');
});
