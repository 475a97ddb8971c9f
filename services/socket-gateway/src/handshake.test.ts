import { waitFor } from '@bambochat/testing';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { startGateway } from './gateway-fixture.ts';

test('a good token is accepted in auth, in the header, over WebSocket and over polling', async () => {
  await using gateway = await startGateway();
  await gateway.connect('alice');
  await gateway.connect('alice', { transports: ['polling'] });
  await gateway.connect('alice', {
    auth: {},
    extraHeaders: { Authorization: `Bearer ${gateway.token('alice')}` },
  });
});

test('answers to polls are neither sniffed nor embedded', async () => {
  await using gateway = await startGateway();
  const { headers } = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('no token, a bad one and an expired one are refused as the contract says', async () => {
  await using gateway = await startGateway();
  const required = { message: 'Authentication required', data: { code: 'AUTH_REQUIRED' } };
  const invalid = { message: 'Invalid or expired token', data: { code: 'AUTH_INVALID' } };
  expect(await gateway.refusalOf({})).toMatchObject(required);
  expect(await gateway.refusalOf({ auth: { token: '' } })).toMatchObject(required);
  expect(await gateway.refusalOf({ query: { token: gateway.token('alice') } })).toMatchObject(
    required,
  );
  expect(await gateway.refusalOf({ auth: { token: 'x.y.z' } })).toMatchObject(invalid);
  expect(await gateway.refusalOf({ auth: { token: { $gt: '' } } })).toMatchObject(invalid);
  expect(await gateway.refusalOf({ auth: { token: 'x'.repeat(10_000) } })).toMatchObject(invalid);
  const expired = gateway.token('alice', -60_000);
  expect(await gateway.refusalOf({ auth: { token: expired } })).toMatchObject({
    message: 'Invalid or expired token',
    data: { code: 'AUTH_EXPIRED' },
  });
});

test('handshakes over the rate of their user are refused, others are not', async () => {
  await using gateway = await startGateway({ CONNECT_RATE: 0.1, CONNECT_BURST: 2 });
  await gateway.connect('alice');
  await gateway.connect('alice');
  expect(await gateway.refusalOf({ auth: { token: gateway.token('alice') } })).toMatchObject({
    data: { code: 'RATE_LIMITED', retryable: true },
  });
  await gateway.connect('bob');
});

test('connecting again and again on one connection piles up no listeners', async () => {
  const warnings: Error[] = [];
  const collect = (warning: Error) => warnings.push(warning);
  process.on('warning', collect);
  try {
    await using gateway = await startGateway();
    const client = await gateway.connect('alice');
    for (let count = 0; count < 30; count += 1) {
      const again = new Promise<void>((resolve) => client.once('connect', () => resolve()));
      // Leaves and enters the namespace; the transport stays.
      client.io.engine.write('1');
      const left = `{reason="client namespace disconnect"} ${count + 1}\n`;
      await waitFor(async () => (await gateway.metrics.render()).body.includes(left));
      client.io.engine.write(`0${JSON.stringify({ token: gateway.token('alice') })}`);
      await again;
    }
    // Warnings are emitted in a tick of their own.
    await client.emitWithAck('refresh_token', { token: gateway.token('alice') });
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  } finally {
    process.off('warning', collect);
  }
});

test('a token that expires ends the connection and says why', async () => {
  await using gateway = await startGateway();
  const client = io(gateway.url, {
    forceNew: true,
    transports: ['websocket'],
    auth: { token: gateway.token('alice', 6000) },
  });
  const error = new Promise((resolve) => client.once('chat_error', resolve));
  const reason = new Promise((resolve) => client.once('disconnect', resolve));
  expect(await error).toMatchObject({ code: 'AUTH_EXPIRED' });
  expect(await reason).toBe('io server disconnect');
  client.disconnect();
});

test('a renewed token keeps the connection; one of another user or a bad one does not count', async () => {
  await using gateway = await startGateway();
  const client = await gateway.connect('alice', {
    auth: { token: gateway.token('alice', 6000) },
  });
  let ended = false;
  client.once('disconnect', () => {
    ended = true;
  });
  const failure = (code: string) => ({ success: false, error: { code, retryable: false } });
  expect(
    await client.emitWithAck('refresh_token', { token: gateway.token('mallory') }),
  ).toMatchObject(failure('AUTH_INVALID'));
  expect(await client.emitWithAck('refresh_token', { token: 'x' })).toMatchObject(
    failure('AUTH_INVALID'),
  );
  const renewed = await client.emitWithAck('refresh_token', { token: gateway.token('alice') });
  expect(renewed).toEqual({ success: true, expiresAt: expect.stringMatching(/Z$/) });
  // A second socket with the old lifetime shows that the time has come and gone.
  const witness = await gateway.connect('alice', {
    auth: { token: gateway.token('alice', 6000) },
  });
  await new Promise((resolve) => witness.once('disconnect', resolve));
  expect(ended).toBe(false);
  expect(client.connected).toBe(true);
});
