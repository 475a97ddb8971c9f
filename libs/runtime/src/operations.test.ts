import { expect, test } from 'vitest';
import { createHealth } from './health.ts';
import { createOperationsApp } from './listen.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';

function operations(timeout = 1000) {
  const health = createHealth({ timeout });
  const metrics = createMetrics();
  const logger = createLogger({ name: 'test', level: 'silent' });
  return { health, metrics, app: createOperationsApp({ logger, health, metrics }) };
}

test('is alive whatever its dependencies do', async () => {
  const { app, health } = operations();
  health.addCheck('mongodb', () => Promise.reject(new Error('down')));
  const answer = await app.inject('/healthz');
  expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok' }]);
});

test('readiness names each dependency and never its error', async () => {
  const { app, health } = operations(20);
  health.addCheck('redis', async () => {});
  expect((await app.inject('/readyz')).statusCode).toBe(200);
  health.addCheck('mongodb', () => Promise.reject(new Error('mongodb://secret@host is down')));
  health.addCheck('nats', () => new Promise(() => {}));
  const answer = await app.inject('/readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({
    ready: false,
    draining: false,
    checks: { redis: 'ok', mongodb: 'failed', nats: 'timeout' },
  });
  expect(answer.body).not.toContain('secret');
});

test('is not ready while it drains', async () => {
  const { app, health } = operations();
  health.startDraining();
  const answer = await app.inject('/readyz');
  expect([answer.statusCode, answer.json().draining]).toEqual([503, true]);
});

test('probes that come together share one round of questions', async () => {
  const { app, health } = operations();
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  health.addCheck('mongodb', () => {
    asked += 1;
    return gate.promise;
  });
  const answers = Promise.all([app.inject('/readyz'), app.inject('/readyz')]);
  await app.inject('/healthz');
  gate.resolve();
  expect((await answers).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
  expect(asked).toBe(1);
});

test('metrics are in the Prometheus format, one of a name in a process', async () => {
  const { app, metrics } = operations();
  const options = { name: 'bambochat_test_total', help: 'A test.', labelNames: ['kind'] as const };
  metrics.counter({ ...options, labelNames: ['kind'] }).inc({ kind: 'a' });
  metrics.counter({ ...options, labelNames: ['kind'] }).inc({ kind: 'a' });
  const answer = await app.inject('/metrics');
  expect(answer.headers['content-type']).toContain('text/plain');
  expect(answer.body).toContain('bambochat_test_total{kind="a"} 2');
  expect(answer.body).toContain('process_cpu_seconds_total');
  expect(() => metrics.gauge({ name: 'bambochat_test_total', help: 'x' })).toThrow('another kind');
});

test('tells for each scrape which dependency answers, and whether the process drains', async () => {
  const { app, health } = operations(20);
  let answers = true;
  health.addCheck('redis', () => (answers ? Promise.resolve() : Promise.reject(new Error('no'))));
  const scrape = async () => (await app.inject('/metrics')).body;
  expect(await scrape()).toContain('bambochat_dependency_up{dependency="redis"} 1');
  expect(await scrape()).toContain('bambochat_draining 0');
  answers = false;
  health.startDraining();
  expect(await scrape()).toContain('bambochat_dependency_up{dependency="redis"} 0');
  expect(await scrape()).toContain('bambochat_draining 1');
});
