import type { CommandLog } from '@bambochat/messaging';
import { createMemoryCommandLog } from '@bambochat/messaging/memory';
import { AppError } from '@bambochat/protocol';
import { createMetrics, type Metrics } from '@bambochat/runtime';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { mark, request } from './message-fixture.ts';
import { createMessageServiceMetrics } from './message-service-metrics.ts';
import { startService } from './running-service.fixture.ts';
import { watchCommandLog } from './watch-command-log.ts';

async function sampleOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const { body } = await metrics.render();
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

test('each step of a command is measured, and only those that there are', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice', 'bob');
  const sent = request(conversationId);
  await service.append([sent]);
  const result = await service.resultOf(sent.ref);
  const steps = (step: string) =>
    sampleOf(service.metrics, `bambochat_command_step_duration_seconds_count{step="${step}"}`);
  expect([await steps('authorise'), await steps('store'), await steps('publish')]).toEqual([
    1, 1, 1,
  ]);
  expect(await steps('change')).toBeUndefined();
  if (!('message' in result)) {
    throw new Error('the message was refused');
  }
  const read = mark(result.message, 'bob');
  await service.append([read]);
  await service.resultOf(read.ref);
  expect([await steps('change'), await steps('store'), await steps('authorise')]).toEqual([
    1, 1, 2,
  ]);
  expect(await sampleOf(service.metrics, 'bambochat_command_age_seconds_count')).toBe(2);
});

test('what the caches knew is counted', async () => {
  await using service = await startService();
  const conversationId = await service.conversationOf('alice');
  for (const sent of [request(conversationId), request(conversationId)]) {
    await service.append([sent]);
    await service.resultOf(sent.ref);
  }
  const lookups = (of: string, outcome: string) =>
    sampleOf(service.metrics, `bambochat_${of}_lookups_total{outcome="${outcome}"}`);
  expect(await lookups('sequence', 'miss')).toBe(1);
  expect(await lookups('sequence', 'hit')).toBe(1);
  expect(await lookups('membership', 'miss')).toBe(1);
  expect(await lookups('membership', 'hit')).toBe(1);
});

test('what waits in the log is shown by partition, with its age and the dead letters', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const commandLog = createMemoryCommandLog({ partitions: 2 });
  const watch = watchCommandLog({
    commandLog,
    metrics: createMessageServiceMetrics(metrics),
    interval: 10,
  });
  try {
    await waitFor(
      async () =>
        (await sampleOf(metrics, 'bambochat_commands_pending{partition="1"}')) === 0 &&
        (await sampleOf(metrics, 'bambochat_commands_oldest_age_seconds')) === 0,
    );
    await commandLog.append(1, new Uint8Array([1]));
    await commandLog.append(1, new Uint8Array([2]));
    await waitFor(
      async () =>
        (await sampleOf(metrics, 'bambochat_commands_pending{partition="1"}')) === 2 &&
        ((await sampleOf(metrics, 'bambochat_commands_oldest_age_seconds')) ?? 0) > 0,
    );
    expect(await sampleOf(metrics, 'bambochat_commands_pending{partition="0"}')).toBe(0);
    expect(await sampleOf(metrics, 'bambochat_command_log_bytes')).toBe(2);
    expect(await sampleOf(metrics, 'bambochat_dead_letters_kept')).toBe(0);
    const consumer = await commandLog.consume(
      async () => {
        throw new Error('each fails by itself');
      },
      { maxAttempts: 1 },
    );
    await waitFor(
      async () =>
        (await sampleOf(metrics, 'bambochat_dead_letters_kept')) === 2 &&
        (await sampleOf(metrics, 'bambochat_commands_pending{partition="1"}')) === 0,
    );
    await consumer.stop(0);
  } finally {
    watch.stop();
  }
});

test('figures that cannot be read are not shown, instead of old ones', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const memory = createMemoryCommandLog({ partitions: 1 });
  let reachable = true;
  const commandLog: Pick<CommandLog, 'figures'> = {
    figures: () =>
      reachable ? memory.figures() : Promise.reject(new AppError('UNAVAILABLE', 'NATS is away')),
  };
  const watch = watchCommandLog({
    commandLog,
    metrics: createMessageServiceMetrics(metrics),
    interval: 10,
  });
  try {
    const pending = () => sampleOf(metrics, 'bambochat_commands_pending{partition="0"}');
    await waitFor(async () => (await pending()) === 0);
    reachable = false;
    await waitFor(async () => (await pending()) === undefined);
    expect(await sampleOf(metrics, 'bambochat_dead_letters_kept')).toBeNaN();
    expect(
      await sampleOf(metrics, 'bambochat_command_log_looks_total{outcome="failed"}'),
    ).toBeGreaterThan(0);
    reachable = true;
    await waitFor(async () => (await pending()) === 0);
  } finally {
    watch.stop();
  }
});
