import { AppError, type UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import type { Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startGateway } from './gateway-fixture.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** A stock client with short delays that is left to itself. */
function stockClient(gateway: Gateway, userId: string, headers: Record<string, string> = {}) {
  const client = gateway.open({
    auth: { token: gateway.token(userId) },
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    extraHeaders: headers,
  });
  return client;
}

const connected = (client: Socket) =>
  waitFor(() => client.connected, { describe: 'the client to be connected', timeout: 20_000 });

async function metric(gateway: Gateway, line: string): Promise<number> {
  const { body } = await gateway.metrics.render();
  const found = body.split('\n').find((text) => text.startsWith(line));
  return Number(found?.split(' ').at(-1) ?? 0);
}

/** Holds every question to the directory until it is let go. */
function holdDirectory(gateway: Gateway) {
  const held: (() => void)[] = [];
  // By user: a question that is not answered for two seconds is asked again.
  const asking = new Set<UserId>();
  const asked = new Set<UserId>();
  const state = { most: 0 };
  gateway.directory.beforeAnswer = async (userId) => {
    asked.add(userId);
    asking.add(userId);
    state.most = Math.max(state.most, asking.size);
    await new Promise<void>((resolve) => held.push(resolve));
    asking.delete(userId);
  };
  return {
    state,
    asked,
    held,
    letOneGo: () => held.shift()?.(),
    letAllGo() {
      gateway.directory.beforeAnswer = async (userId) => {
        asked.add(userId);
      };
      for (const go of held.splice(0)) {
        go();
      }
    },
  };
}

test('handshakes ask the directory only so many at a time, the others wait', async () => {
  await using gateway = await startGateway({ HANDSHAKES_AT_ONCE: 2 });
  const hold = holdDirectory(gateway);
  const clients = Array.from({ length: 6 }, (_, index) => stockClient(gateway, `user-${index}`));
  await waitFor(() => hold.state.most === 2);
  const connections = clients.map(connected);
  await waitFor(() => {
    hold.letOneGo();
    return hold.asked.size === clients.length;
  });
  hold.letAllGo();
  await Promise.all(connections);
  expect(hold.state.most).toBe(2);
});

test('what does not fit is refused before it is a connection, and a stock client comes back', async () => {
  await using gateway = await startGateway({ HANDSHAKES_AT_ONCE: 1, HANDSHAKES_WAITING: 1 });
  const hold = holdDirectory(gateway);
  const clients = [stockClient(gateway, 'first')];
  await waitFor(() => hold.held.length === 1);
  clients.push(stockClient(gateway, 'second'));
  await waitFor(async () => {
    await using probe = await startProbe(gateway);
    return probe.refused;
  });
  const late = stockClient(gateway, 'late');
  const errors: Error[] = [];
  late.on('connect_error', (error) => errors.push(error));
  await waitFor(() => errors.length >= 2);
  expect(errors.every((error) => !('data' in error) && error.message === 'websocket error')).toBe(
    true,
  );
  expect(hold.state.most).toBe(1);
  hold.letAllGo();
  await Promise.all([...clients, late].map(connected));
  expect(
    await metric(gateway, 'bambochat_request_refusals_total{reason="too many handshakes"}'),
  ).toBeGreaterThan(0);
});

/** Whether a request for a connection is refused just now. */
async function startProbe(gateway: Gateway) {
  const answer = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`);
  const body = await answer.text();
  const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
  return {
    refused: answer.status === 403,
    async [Symbol.asyncDispose]() {
      if (sid !== undefined) {
        const url = `${gateway.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
        await fetch(url, { method: 'POST', body: '1' });
      }
    },
  };
}

test('who is gone while it waits takes up no place, and the directory is not asked for it', async () => {
  await using gateway = await startGateway({ HANDSHAKES_AT_ONCE: 1, HANDSHAKES_WAITING: 1 });
  const hold = holdDirectory(gateway);
  const first = stockClient(gateway, 'first');
  await waitFor(() => hold.held.length === 1);
  for (let visits = 0; visits < 3; visits += 1) {
    const gone = stockClient(gateway, `gone-${visits}`);
    await waitFor(async () => (await startProbe(gateway)).refused);
    gone.disconnect();
    await waitFor(async () => {
      await using probe = await startProbe(gateway);
      return !probe.refused;
    });
  }
  const second = stockClient(gateway, 'second');
  hold.letAllGo();
  await Promise.all([connected(first), connected(second)]);
  expect([...hold.asked]).toEqual(['first', 'second']);
});

test('a directory that is away for a moment is not noticed by who connects', async () => {
  await using gateway = await startGateway();
  let failures = 0;
  gateway.directory.beforeAnswer = async () => {
    if (failures < 2) {
      failures += 1;
      throw new AppError('UNAVAILABLE', 'The directory is not available');
    }
  };
  const client = stockClient(gateway, 'alice');
  const errors: Error[] = [];
  client.on('connect_error', (error) => errors.push(error));
  await connected(client);
  expect([failures, errors]).toEqual([2, []]);
});

test('after a long absence of the directory stock clients come back by themselves', async () => {
  await using gateway = await startGateway();
  let away = true;
  gateway.directory.beforeAnswer = async () => {
    if (away) {
      throw new AppError('UNAVAILABLE', 'The directory is not available');
    }
  };
  const client = stockClient(gateway, 'alice');
  const refusals: Error[] = [];
  client.on('connect_error', (error) => refusals.push(error));
  let reconnects = 0;
  client.io.on('reconnect_attempt', () => {
    reconnects += 1;
  });
  await waitFor(() => reconnects > 0, { timeout: 20_000 });
  away = false;
  await connected(client);
  expect(refusals.filter((error) => 'data' in error)).toEqual([]);
});

test('a user has only so many connections on one gateway', async () => {
  await using gateway = await startGateway({ CONNECTIONS_PER_USER_MAX: 2 });
  const first = await gateway.connect('alice');
  await gateway.connect('alice');
  const auth = { token: gateway.token('alice') };
  expect(await gateway.refusalOf({ auth })).toMatchObject({
    data: { code: 'RATE_LIMITED', retryable: true },
  });
  await gateway.connect('bob');
  first.disconnect();
  await waitFor(() => gateway.connect('alice').catch(() => false));
});

test('an address has only so many connections; proxies that are trusted tell it', async () => {
  await using gateway = await startGateway({
    CONNECTIONS_PER_ADDRESS_MAX: 2,
    TRUST_PROXY: 'loopback',
  });
  const from = (address: string) => ({ extraHeaders: { 'X-Forwarded-For': address } });
  const auth = { token: gateway.token('alice') };
  const first = await gateway.connect('alice', from('2001:db8:1:2::1'));
  await gateway.connect('alice', { ...from('2001:db8:1:2::2'), transports: ['polling'] });
  for (const transports of [['websocket'], ['polling']]) {
    const refused = await gateway.refusalOf({ auth, ...from('2001:db8:1:2::3'), transports });
    expect(refused.data).toBeUndefined();
  }
  // A client's own claim does not count: the proxy's word comes last.
  await expect(
    gateway.connect('alice', {
      ...from('192.0.2.1, 2001:db8:1:2::4'),
      reconnection: false,
    }),
  ).rejects.toThrow('websocket error');
  await gateway.connect('alice', from('2001:db8:1:3::1'));
  await gateway.connect('alice', from('192.0.2.1'));
  first.disconnect();
  await waitFor(() => gateway.connect('alice', from('2001:db8:1:2::5')).catch(() => false));
});

test('without a trusted proxy nobody is believed', async () => {
  await using gateway = await startGateway({ CONNECTIONS_PER_ADDRESS_MAX: 1 });
  await gateway.connect('alice', { extraHeaders: { 'X-Forwarded-For': '192.0.2.1' } });
  const refused = gateway.refusalOf({
    auth: { token: gateway.token('alice') },
    extraHeaders: { 'X-Forwarded-For': '192.0.2.2' },
  });
  expect((await refused).message).toBe('websocket error');
});

test('connections beyond the bound of the process are refused, with or without a user', async () => {
  await using gateway = await startGateway({ MAX_CONNECTIONS: 2 });
  const silent = new WebSocket(
    `${gateway.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  );
  await new Promise((resolve) => silent.once('open', resolve));
  const alice = await gateway.connect('alice');
  const auth = { token: gateway.token('bob') };
  expect((await gateway.refusalOf({ auth })).message).toBe('websocket error');
  alice.disconnect();
  await waitFor(() => gateway.connect('bob').catch(() => false));
  silent.terminate();
});

test('a connection on which no handshake comes is ended', async () => {
  await using gateway = await startGateway();
  const silent = new WebSocket(
    `${gateway.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  );
  // Longer than the 15 s of this gateway and shorter than the 45 s of Socket.IO.
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('it lives on')), 27_000);
    silent.once('close', () => {
      clearTimeout(late);
      resolve(null);
    });
  });
});

for (const transport of ['websocket', 'polling'] as const) {
  test(`over ${transport} only listed origins connect, and clients that are no browsers`, async () => {
    await using gateway = await startGateway({ ALLOWED_ORIGINS: ['https://chat.example'] });
    const transports = [transport];
    await gateway.connect('alice', { transports });
    await gateway.connect('alice', {
      transports,
      extraHeaders: { Origin: 'https://chat.example' },
    });
    for (const origin of ['https://evil.example', 'https://chat.example.evil.example', 'null']) {
      const refused = await gateway.refusalOf({
        transports,
        auth: { token: gateway.token('alice') },
        extraHeaders: { Origin: origin },
      });
      expect(refused.data, origin).toBeUndefined();
    }
    expect(gateway.directory.reads).toBe(2);
  });
}
