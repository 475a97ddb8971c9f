import { describe, expect, it } from 'vitest';
import { serviceEnvironment } from './service-environment.ts';

const backends = {
  mongodb: { url: 'mongodb://1' },
  redis: { url: 'redis://2' },
  nats: { url: 'nats://3' },
};

describe('the environment of the services', () => {
  it('names the back ends and an address of its own, and passes on the rest', () => {
    const env = { PORT: '3000', HOST: '0.0.0.0', MESSAGE_RATE: '7', REDIS_URL: 'redis://old' };
    expect(serviceEnvironment(env, backends)).toMatchObject({
      HOST: '127.0.0.1',
      PORT: '0',
      MONGODB_URL: 'mongodb://1',
      REDIS_URL: 'redis://2',
      NATS_URL: 'nats://3',
      MESSAGE_RATE: '7',
      TRUST_PROXY: 'loopback',
    });
  });

  it('lets each kind stop in its part of the time', () => {
    expect(serviceEnvironment({}, backends).STOP_TIMEOUT).toBe('4000');
    expect(serviceEnvironment({ STOP_TIMEOUT: '7000' }, backends).STOP_TIMEOUT).toBe('7000');
  });

  it('makes a new secret for each run unless one is given', () => {
    const secret = () => serviceEnvironment({}, backends).JWT_SECRET ?? '';
    expect(secret()).not.toBe(secret());
    expect(secret().length).toBeGreaterThanOrEqual(64);
    expect(serviceEnvironment({ JWT_SECRET: 'given' }, backends).JWT_SECRET).toBe('given');
  });

  it('lets services log at least that they are ready', () => {
    const level = (LOG_LEVEL?: string) => serviceEnvironment({ LOG_LEVEL }, backends).LOG_LEVEL;
    expect(level('silent')).toBe('info');
    expect(level('error')).toBe('info');
    expect(level('debug')).toBe('debug');
    // For the services to complain about.
    expect(level('loud')).toBe('loud');
    expect(level()).toBeUndefined();
  });
});
