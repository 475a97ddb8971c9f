import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import proxyAddress from '@fastify/proxy-addr';
import { z } from 'zod';

const namedRanges = ['loopback', 'linklocal', 'uniquelocal'];

function isRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) {
    return namedRanges.includes(text);
  }
  return (
    prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= (version === 4 ? 32 : 128))
  );
}

/** Proxies whose word counts: addresses, subnets and named ranges, separated by commas. */
export function proxyList() {
  return z
    .string()
    .refine((list) => list.split(',').every((range) => isRange(range.trim())), {
      error: 'must be a list of addresses, subnets, loopback, linklocal or uniquelocal',
    })
    .meta({
      form: 'addresses, subnets, `loopback`, `linklocal`, `uniquelocal`, comma-separated',
    });
}

/**
 * Tells a client's address: the peer's, or what the proxies in `trustProxy` (of {@link proxyList})
 * say by `X-Forwarded-For`, as fastify does it. Absent: nobody is believed.
 */
export function createAddressReader(
  trustProxy: string | undefined,
): (request: IncomingMessage) => string {
  if (trustProxy === undefined) {
    return (request) => request.socket.remoteAddress ?? '';
  }
  const trusted = proxyAddress.compile(trustProxy.split(',').map((range) => range.trim()));
  return (request) => proxyAddress(request, trusted);
}

/** A household has one IPv4 address, and 2^64 IPv6 addresses: their common part. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) {
    return address;
  }
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    groups.push(...Array.from({ length: 8 - groups.length - after.length }, () => '0'), ...after);
  }
  return groups.slice(0, 4).join(':');
}
