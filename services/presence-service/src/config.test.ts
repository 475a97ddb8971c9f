import { readConfig } from '@bambochat/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema, presenceDurations } from './config.ts';

const env = {
  MONGODB_URL: 'mongodb://127.0.0.1:27017/bambochat',
  NATS_URL: 'nats://127.0.0.1:4222',
  REDIS_URL: 'redis://127.0.0.1:6379',
};

describe('configuration', () => {
  it('needs only back ends', () => {
    const config = readConfig(configSchema, env);
    expect(config).toMatchObject({ PRESENCE_LEASE: 15_000, PRESENCE_GRACE: 5000 });
    expect(presenceDurations(config)).toEqual({
      lease: 15_000,
      grace: 5000,
      warmUp: 10_000,
      claim: 5000,
    });
  });

  it('takes a grace of nothing', () => {
    expect(readConfig(configSchema, { ...env, PRESENCE_GRACE: '0' }).PRESENCE_GRACE).toBe(0);
  });

  it.each([
    ['MONGODB_URL', undefined],
    ['NATS_URL', 'http://127.0.0.1'],
    ['REDIS_URL', undefined],
    ['PRESENCE_LEASE', '999'],
    ['PRESENCE_LEASE', '600001'],
    ['PRESENCE_LEASE', '15s'],
    ['PRESENCE_GRACE', '-1'],
    ['PRESENCE_GRACE', '600001'],
  ])('names %s when it is %s', (name, value) => {
    expect(() => readConfig(configSchema, { ...env, [name]: value })).toThrow(`${name}: `);
  });
});
