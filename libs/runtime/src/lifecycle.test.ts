import { expect, test } from 'vitest';
import { createLifecycle, type Service, StartInterrupted } from './lifecycle.ts';
import { createLogger } from './logger.ts';

const logger = createLogger({ name: 'test', level: 'silent' });

function recorder() {
  const steps: string[] = [];
  const service = (name: string, overrides: Partial<Service> = {}): Service => ({
    start: async () => void steps.push(`start ${name}`),
    drain: async () => void steps.push(`drain ${name}`),
    stop: async () => void steps.push(`stop ${name}`),
    ...overrides,
  });
  return { steps, service };
}

test('drains and stops in the reverse of the starting order, all drains first', async () => {
  const { steps, service } = recorder();
  const lifecycle = createLifecycle(logger);
  lifecycle.defer('broker', () => void steps.push('close broker'));
  await lifecycle.use('inner', service('inner'));
  await lifecycle.use('outer', service('outer'));
  lifecycle.running();
  expect(lifecycle.state).toBe('running');
  expect(await lifecycle.stop(1000)).toEqual({ clean: true });
  expect(steps).toEqual([
    'start inner',
    'start outer',
    'drain outer',
    'drain inner',
    'stop outer',
    'stop inner',
    'close broker',
  ]);
  expect(lifecycle.state).toBe('stopped');
});

test('a service whose start failed is stopped too, and so is what started before it', async () => {
  const { steps, service } = recorder();
  const lifecycle = createLifecycle(logger);
  await lifecycle.use('first', service('first'));
  const failing = service('second', { start: () => Promise.reject(new Error('no port')) });
  await expect(lifecycle.use('second', failing)).rejects.toThrow('no port');
  await lifecycle.stop(1000);
  expect(steps.slice(-2)).toEqual(['stop second', 'stop first']);
});

test('a failing step is reported and does not keep the others from stopping', async () => {
  const { steps, service } = recorder();
  const lifecycle = createLifecycle(logger);
  await lifecycle.use('first', service('first'));
  await lifecycle.use('second', service('second', { drain: () => Promise.reject(new Error('x')) }));
  expect(await lifecycle.stop(1000)).toEqual({ clean: false });
  expect(steps).toContain('stop second');
  expect(steps).toContain('stop first');
});

test('gives up waiting at the deadline', async () => {
  const { service } = recorder();
  const lifecycle = createLifecycle(logger);
  await lifecycle.use('stuck', service('stuck', { drain: () => new Promise(() => {}) }));
  expect(await lifecycle.stop(20)).toEqual({ clean: false });
});

test('stopping twice is stopping once', async () => {
  const { steps, service } = recorder();
  const lifecycle = createLifecycle(logger);
  await lifecycle.use('only', service('only'));
  await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
  expect(steps.filter((step) => step === 'stop only')).toHaveLength(1);
});

test('what would start after stopping has begun is not started, and what is opened is closed', async () => {
  const { steps, service } = recorder();
  const lifecycle = createLifecycle(logger);
  await lifecycle.use('first', service('first'));
  const stopped = lifecycle.stop(1000);
  lifecycle.defer('connection', () => void steps.push('close connection'));
  await expect(lifecycle.use('second', service('second'))).rejects.toThrow(StartInterrupted);
  expect(() => lifecycle.running()).toThrow(StartInterrupted);
  expect(await stopped).toEqual({ clean: true });
  expect(steps).toContain('close connection');
  expect(steps).not.toContain('start second');
  expect(lifecycle.state).toBe('stopped');
});
