import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  backendUrl,
  ConfigError,
  decimal,
  flag,
  integer,
  processConfig,
  readConfig,
  withoutCredentials,
} from './config.ts';

const schema = z.object({
  ...processConfig,
  NATS_URL: backendUrl('nats'),
  JWT_SECRET: z.string().refine((value) => value.length >= 32, { error: 'must have 32 bytes' }),
  ECHO: flag().prefault('false'),
  RATE: decimal(0.1, 10).prefault('1'),
});

const good = { NATS_URL: 'nats://127.0.0.1:4222', JWT_SECRET: 'x'.repeat(32) };

function messageOf(env: Record<string, string>): string {
  try {
    readConfig(schema, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

test('fills in defaults and converts', () => {
  expect(readConfig(schema, { ...good, PORT: '0', ECHO: 'true', OTHER: 'ignored' })).toEqual({
    ...good,
    HOST: '127.0.0.1',
    PORT: 0,
    LOG_LEVEL: 'info',
    STOP_TIMEOUT: 25_000,
    ECHO: true,
    RATE: 1,
  });
});

test('an empty variable counts as absent', () => {
  expect(readConfig(schema, { ...good, PORT: '' }).PORT).toBe(3000);
  expect(messageOf({ ...good, NATS_URL: '' })).toContain('NATS_URL: is required');
});

test('names every missing and wrong variable at once', () => {
  const message = messageOf({ PORT: '70000', LOG_LEVEL: 'loud', RATE: 'fast' });
  for (const line of [
    'NATS_URL: is required',
    'JWT_SECRET: is required',
    'PORT: must be at most 65535',
    'LOG_LEVEL: must be one of',
    'RATE: must be a number',
  ]) {
    expect(message).toContain(line);
  }
});

test('never prints a value', () => {
  const message = messageOf({
    NATS_URL: 'redis://user:hunter2@host',
    JWT_SECRET: 'hunter2',
    PORT: 'hunter2',
    LOG_LEVEL: 'hunter2',
    ECHO: 'hunter2',
  });
  expect(message).not.toContain('hunter2');
  expect(message).toContain('NATS_URL: must be a URL that begins with nats://');
});

test('integers have bounds and no fraction', () => {
  const number = integer(1, 5);
  expect(number.safeParse('3').data).toBe(3);
  for (const wrong of ['0', '6', '1.5', 'x', '']) {
    expect(number.safeParse(wrong).success, wrong).toBe(false);
  }
});

test('credentials are cut out of URLs', () => {
  expect(withoutCredentials('nats://user:secret@host:4222/')).toBe('nats://host:4222/');
  expect(withoutCredentials('no url secret')).not.toContain('secret');
});

test.each([
  ['mongodb://user:secret@a:27017,b:27017,c:27017/chat?replicaSet=rs0', true],
  ['mongodb://a:27017,b/chat', true],
  ['mongodb+srv://cluster.example/chat', true],
  ['mongodb://a:27017,', false],
  ['nats://a:4222,b:4222', false],
])('%s as the URL of MongoDB: %s', (url, fits) => {
  const { success } = backendUrl('mongodb', 'mongodb+srv').safeParse(url);
  expect(success).toBe(fits);
  expect(withoutCredentials(url)).not.toContain('secret');
});
