import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { LightSocket } from './light-socket.ts';
import { SourceAddresses } from './source-addresses.ts';

describe('where connections come from', () => {
  test('on loopback the system chooses first, then 127.0.0.2 and so on, for each target', () => {
    const addresses = new SourceAddresses([]);
    const [one, other] = ['http://127.0.0.1:1', 'http://localhost:2'];
    expect(addresses.for(one)).toBeUndefined();
    expect(addresses.next(one, undefined)).toBe(true);
    expect(addresses.for(one)).toBe('127.0.0.2');
    // Another connection that failed at the same time.
    expect(addresses.next(one, undefined)).toBe(true);
    expect(addresses.for(one)).toBe('127.0.0.2');
    expect(addresses.for(other)).toBeUndefined();
    let last = 0;
    for (; addresses.next(one, addresses.for(one)); last += 1);
    expect(last).toBe(62);
  });

  test('for other targets there is only what was named', () => {
    expect(new SourceAddresses([]).next('http://10.0.0.1', undefined)).toBe(false);
    const named = new SourceAddresses(['10.0.0.8', '10.0.0.9']);
    expect(named.for('http://10.0.0.1')).toBe('10.0.0.8');
    expect(named.next('http://10.0.0.1', '10.0.0.8')).toBe(true);
    expect(named.for('http://10.0.0.1')).toBe('10.0.0.9');
    expect(named.next('http://10.0.0.1', '10.0.0.9')).toBe(false);
  });

  test.runIf(process.platform === 'linux')('a socket really comes from there', async () => {
    const server = createServer();
    const from: (string | undefined)[] = [];
    server.on('upgrade', (request, socket: Socket) => {
      from.push(request.socket.remoteAddress);
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    for (const localAddress of [undefined, '127.0.0.7']) {
      const options = { url, token: '', localAddress, onEvent: () => {}, onClose: () => {} };
      await LightSocket.open(options).catch(() => {});
    }
    expect(from).toEqual(['127.0.0.1', '127.0.0.7']);
    server.close();
  });
});
