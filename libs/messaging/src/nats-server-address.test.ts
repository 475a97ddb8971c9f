import { expect, test } from 'vitest';
import { readNatsUrl } from './nats-server-address.ts';

test.each([
  ['nats://host', { servers: ['host:4222'] }, 'nats://host:4222'],
  ['nats://[::1]:5000', { servers: ['[::1]:5000'] }, 'nats://[::1]:5000'],
  [
    'nats://user:p%40ss@a:1,nats://b',
    { servers: ['a:1', 'b:4222'], user: 'user', pass: 'p@ss' },
    'nats://a:1,nats://b:4222',
  ],
  ['tls://token@host', { servers: ['host:4222'], token: 'token', tls: {} }, 'tls://host:4222'],
])('%s', (url, options, printable) => {
  expect(readNatsUrl(url)).toEqual({ options, printable });
});

test.each(['', 'host:4222', 'http://secret@host', 'nats://', 'nats://a,,nats://b'])(
  'refuses %j without repeating it',
  (url) => {
    expect(() => readNatsUrl(url)).toThrow('The NATS URL must look like nats://host:4222');
  },
);
