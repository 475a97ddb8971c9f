import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createAddressReader, networkOf, proxyList } from './client-address.ts';

function requestFrom(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test('only a trusted proxy is believed, and only for the hop before it', () => {
  const nobody = createAddressReader(undefined);
  const loopback = createAddressReader('loopback, 10.0.0.0/8');
  expect(nobody(requestFrom('127.0.0.1', '192.0.2.1'))).toBe('127.0.0.1');
  expect(loopback(requestFrom('127.0.0.1', '192.0.2.1'))).toBe('192.0.2.1');
  expect(loopback(requestFrom('127.0.0.1', '203.0.113.9, 192.0.2.1, 10.1.2.3'))).toBe('192.0.2.1');
  expect(loopback(requestFrom('198.51.100.7', '192.0.2.1'))).toBe('198.51.100.7');
  expect(loopback(requestFrom('127.0.0.1'))).toBe('127.0.0.1');
});

test('the addresses of one IPv6 network count as one, those of IPv4 one by one', () => {
  const one = networkOf('2001:db8:1:2:aaaa::1');
  expect(networkOf('2001:db8:1:2::ffff')).toBe(one);
  expect(networkOf('2001:db8:1:3::1')).not.toBe(one);
  expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8::2'));
  expect(networkOf('192.0.2.1')).not.toBe(networkOf('192.0.2.2'));
  expect(networkOf('::ffff:192.0.2.1')).not.toBe(networkOf('::ffff:192.0.2.2'));
});

test('a list of proxies that is none is refused', () => {
  expect(proxyList().safeParse('loopback, 10.0.0.0/8, ::1').success).toBe(true);
  for (const wrong of ['everyone', '10.0.0.0/33', '10.0.0.0/8/8', 'true', '']) {
    expect(proxyList().safeParse(wrong).success, wrong).toBe(false);
  }
});
