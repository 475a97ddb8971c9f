import { readdir, readFile } from 'node:fs/promises';
import { startTraceCollector, type TraceCollector } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { startTracing, type Tracing, traceIdOf, tracingConfig } from './tracing.ts';

const settingsOf = (env: NodeJS.ProcessEnv) => readConfig(z.object(tracingConfig), env);

async function tracingTo(collector: TraceCollector, env: NodeJS.ProcessEnv = {}): Promise<Tracing> {
  const settings = settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env });
  const tracing = await startTracing('a-service', settings);
  if (tracing === undefined) throw new Error('tracing is off');
  return tracing;
}

test('without an endpoint there is nothing', async () => {
  expect(await startTracing('a-service', settingsOf({}))).toBeUndefined();
});

test('nothing of OpenTelemetry is loaded until then', async () => {
  const folder = new URL('.', import.meta.url);
  const naming = async (text: RegExp) => {
    const names = (await readdir(folder)).filter((name) => !name.endsWith('.test.ts'));
    const found = names.map(async (name) =>
      text.test(await readFile(new URL(name, folder), 'utf8')) ? [name] : [],
    );
    return (await Promise.all(found)).flat();
  };
  expect(await naming(/@opentelemetry\//)).toEqual(['open-telemetry.ts']);
  expect(await naming(/from '.*open-telemetry/)).toEqual([]);
});

test('a wrong setting is refused', () => {
  expect(() => settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' })).toThrow(
    /must be a URL/,
  );
  expect(() => settingsOf({ OTEL_EXPORTER_OTLP_HEADERS: 'secret' })).toThrow(/name=value/);
  expect(() => settingsOf({ OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow(/at most 1/);
});

describe('with an endpoint', () => {
  test('spans of two processes are one trace', async () => {
    await using collector = await startTraceCollector();
    const headers = 'x-key=a%20b,x-other=c=d';
    const tracing = await tracingTo(collector, { OTEL_EXPORTER_OTLP_HEADERS: headers });
    const root = tracing.tracer.start('first', { kind: 'server' });
    const child = tracing.tracer.start('second', { parent: root?.traceparent ?? '' });
    child?.fail(new RangeError('a secret'));
    child?.end();
    root?.end();
    await tracing.stop();

    const [second, first] = collector.spans;
    expect(first).toMatchObject({ service: 'a-service', pid: process.pid, name: 'first' });
    expect(second).toMatchObject({
      name: 'second',
      traceId: first?.traceId,
      parentSpanId: first?.spanId,
      status: { code: 2, message: 'RangeError' },
    });
    expect(traceIdOf(root?.traceparent)).toBe(first?.traceId);
    expect(collector.headers[0]).toMatchObject({ 'x-key': 'a b', 'x-other': 'c=d' });
  });

  test('a part is traced; what has begun goes on', async () => {
    await using collector = await startTraceCollector();
    const tracing = await tracingTo(collector, { OTEL_TRACES_SAMPLER_ARG: '0' });
    expect(tracing.tracer.start('not chosen')).toBeUndefined();
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    tracing.tracer.start('chosen elsewhere', { parent })?.end();
    expect(tracing.tracer.start('nonsense', { parent: 'nonsense' })).toBeUndefined();
    await tracing.stop();
    expect(collector.spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['chosen elsewhere', 'b'.repeat(16)],
    ]);
  });

  test('log lines within a span carry its ids, also those that come later', async () => {
    await using collector = await startTraceCollector();
    const tracing = await tracingTo(collector);
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({
      name: 'test',
      level: 'info',
      stream: { write: (line) => void lines.push(JSON.parse(line)) },
      fields: () => tracing.logFields(),
    });
    const span = tracing.tracer.start('work');
    logger.info('before');
    await span?.run(async () => {
      await new Promise(setImmediate);
      logger.info({ more: 1 }, 'within');
    });
    span?.end();
    await tracing.stop();
    const [before, within] = lines;
    expect(before).not.toHaveProperty('trace_id');
    const [, traceId, spanId] = span?.traceparent.split('-') ?? [];
    expect(within).toMatchObject({ trace_id: traceId, span_id: spanId, more: 1 });
  });

  test('a receiver that is away neither fails nor delays', async () => {
    const collector = await startTraceCollector();
    const tracing = await tracingTo(collector);
    await collector[Symbol.asyncDispose]();
    for (let index = 0; index < 10_000; index += 1) {
      tracing.tracer.start('lost')?.end();
    }
    const begin = performance.now();
    await tracing.stop();
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});
