import { readConfig } from '@bambochat/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';

const env = {
  MONGODB_URL: 'mongodb://127.0.0.1:27017/bambochat',
  NATS_URL: 'nats://127.0.0.1:4222',
  JWT_SECRET: 'a-secret-of-this-test-with-48-bytes-0123456789ab',
};

describe('configuration', () => {
  it('needs only back ends and a key', () => {
    expect(readConfig(configSchema, env)).toMatchObject({
      PASSWORD_SCRYPT_COST: 15,
      AUTH_REQUESTS_PER_ADDRESS: 600,
      LOGIN_FAILURES_PER_ACCOUNT: 10,
      AUTH_LIMIT_WINDOW: 60_000,
      CONVERSATIONS_PER_USER_MAX: 10_000,
      FRIENDS_PER_USER_MAX: 1000,
      BLOCKS_PER_USER_MAX: 10_000,
    });
  });

  it.each([
    ['JWT_SECRET', undefined],
    ['MONGODB_URL', 'postgres://127.0.0.1'],
    ['NATS_URL', undefined],
    ['PASSWORD_SCRYPT_COST', '9'],
    ['AUTH_LIMIT_WINDOW', '60s'],
    ['FRIENDS_PER_USER_MAX', '5001'],
    ['BLOCKS_PER_USER_MAX', '10001'],
    ['TRUST_PROXY', 'true'],
  ])('names %s when it is %s', (name, value) => {
    expect(() => readConfig(configSchema, { ...env, [name]: value })).toThrow(`${name}: `);
  });
});
