import {
  type ChatResult,
  type GatewayId,
  type MessageRequest,
  subjects,
} from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { configSchema, drainOf } from './config.ts';
import { drainSockets } from './drain-sockets.ts';
import { messageOf, newConversationId, startGateway } from './gateway-fixture.ts';
import type { Connection } from './raw-web-socket.ts';
import { openSlowSocket } from './slow-client-fixture.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('a gateway that stops', () => {
  test('sends its clients away so that they come back by themselves, and takes no new ones', async () => {
    await using gateway = await startGateway();
    const clients = [
      await gateway.connect('alice', { reconnectionDelay: 50 }),
      await gateway.connect('bob', { reconnectionDelay: 50 }),
      await gateway.connect('cleo', { reconnectionDelay: 50, transports: ['polling'] }),
    ];
    const reasons: string[] = [];
    let returns = 0;
    for (const client of clients) {
      client.on('disconnect', (reason) => reasons.push(reason));
      client.io.on('reconnect_attempt', () => {
        returns += 1;
      });
    }
    await gateway.gateway.drain();
    await waitFor(() => reasons.length === 3 && returns >= 3);
    expect(reasons).not.toContain('io server disconnect');
    expect(gateway.presence.users.size).toBe(0);
    const refused = await gateway.refusalOf({ auth: { token: gateway.token('dan') } });
    expect(refused.message).toBe('websocket error');
  });

  test('confirms what is in flight before it closes the connection it came from', async () => {
    await using gateway = await startGateway({}, { drainTimeout: 20_000 });
    const [busy, idle] = [await gateway.connect('alice'), await gateway.connect('bob')];
    const results: ChatResult[] = [];
    gateway.answerWith((requests) => {
      for (const request of requests) {
        results.push({ ref: request.ref, message: messageOf(request as MessageRequest, 1) });
      }
      return [];
    });
    const conversationId = newConversationId();
    const answer = busy.emitWithAck('send_message', { conversationId, content: 'in flight' });
    await waitFor(() => results.length === 1);
    const drained = gateway.gateway.drain();
    await waitFor(() => !idle.connected);
    expect(busy.connected).toBe(true);
    gateway.bus.publish(subjects.chatResults('gateway-1' as GatewayId), { results });
    expect(await answer).toMatchObject({ success: true });
    await drained;
    await waitFor(() => !busy.connected);
  });

  test('does not wait for a client that never stops sending', async () => {
    // Without an end of its input it would stay for the minute that it may.
    await using gateway = await startGateway({}, { drainTimeout: 120_000 });
    gateway.answerWith((requests) => {
      // One by one, so that there is always something on its way.
      for (const [index, request] of requests.entries()) {
        const result = { ref: request.ref, message: messageOf(request as MessageRequest, 1) };
        const tell = () =>
          gateway.bus.publish(subjects.chatResults('gateway-1' as GatewayId), {
            results: [result],
          });
        setTimeout(tell, 20 + 5 * (index % 10));
      }
      return [];
    });
    const conversationId = newConversationId();
    const client = await gateway.connect('alice', { reconnection: false });
    let confirmed = 0;
    const send = () => {
      client.emit('send_message', { conversationId, content: 'and on' }, () => {
        confirmed += 1;
        send();
      });
    };
    for (let inFlight = 0; inFlight < 50; inFlight += 1) {
      send();
    }
    await waitFor(() => confirmed > 200);
    await gateway.gateway.drain();
    await waitFor(() => !client.connected);
  }, 15_000);

  test('takes over all that was sent before the client heard of it, without callbacks', async () => {
    await using gateway = await startGateway({ MESSAGE_BURST: 100_000 });
    const conversationId = newConversationId();
    const client = await gateway.connect('alice', { reconnection: false });
    const { ws } = client.io.engine.transport as unknown as { ws: WebSocket };
    const sent: string[] = [];
    const burst = () => {
      // What a client writes after it has heard the goodbye leaves it no more.
      for (let count = 0; count < 20 && ws.readyState === ws.OPEN; count += 1) {
        const content = `number ${sent.length}`;
        client.emit('send_message', { conversationId, content });
        sent.push(content);
      }
    };
    const sending = setInterval(burst, 1);
    await waitFor(() => gateway.handled.length > 50);
    const drained = gateway.gateway.drain();
    await waitFor(() => !client.connected);
    clearInterval(sending);
    await drained;
    await waitFor(() => gateway.handled.length >= sent.length, {
      describe: `${sent.length} messages`,
    });
    expect(gateway.handled.map(({ content }) => content)).toEqual(sent);
  });

  test('goes on as before for the delay, and sends away who came in it', async () => {
    await using gateway = await startGateway(
      {},
      { drain: { delay: 1500, rate: 1000, spread: 1000 } },
    );
    const early = await gateway.connect('alice', { reconnection: false });
    const drained = gateway.gateway.drain();
    const late = await gateway.connect('bob', { reconnection: false });
    expect([early.connected, late.connected]).toEqual([true, true]);
    await drained;
    await waitFor(() => !early.connected && !late.connected);
  });

  test('does not wait for clients that do not answer', async () => {
    await using gateway = await startGateway();
    using slow = await openSlowSocket(gateway.url, gateway.token('slow'));
    using expired = await openSlowSocket(gateway.url, gateway.token('expired', 4000));
    slow.stopReading();
    expired.stopReading();
    await waitFor(() => !gateway.presence.users.has('expired'));
    await gateway.gateway.drain();
    // Resolves when no connection is left; ws alone would wait 30 s for a goodbye.
    await gateway.gateway.stop();
    expect(gateway.presence.users.size).toBe(0);
  }, 25_000);
});

/** Connections that are gone as soon as they are sent away. */
function playConnections(count: number) {
  const open = new Set<Connection>();
  const goneAt: number[] = [];
  const order: Connection[] = [];
  const all = Array.from({ length: count }, () => {
    const connection = {
      transport: {},
      close() {
        if (open.delete(connection)) {
          goneAt.push(Date.now());
          order.push(connection);
        }
      },
    } as unknown as Connection;
    open.add(connection);
    return connection;
  });
  return { all, open, goneAt, order, connections: () => open };
}

describe('the pace', () => {
  const rest = { isBusy: () => false, patience: 1000, farewell: 1000 };

  async function drain(count: number, pace: { rate: number; spread: number }) {
    vi.useFakeTimers();
    const played = playConnections(count);
    const begin = Date.now();
    const drained = drainSockets({ ...rest, connections: played.connections, pace });
    await vi.runAllTimersAsync();
    await drained;
    return { ...played, times: played.goneAt.map((time) => time - begin) };
  }

  test('a few connections are sent away at once', async () => {
    const { times } = await drain(3, { rate: 500, spread: 10_000 });
    expect(times).toEqual([0, 0, 0]);
  });

  test('no connection at all takes no time', async () => {
    const { times } = await drain(0, { rate: 500, spread: 0 });
    expect(times).toEqual([]);
  });

  test('many go at the given rate, in batches of no fixed length and order', async () => {
    const { times, all, order } = await drain(1000, { rate: 500, spread: 10_000 });
    expect(times).toHaveLength(1000);
    const last = times.at(-1) ?? 0;
    expect(last).toBeGreaterThan(1700);
    expect(last).toBeLessThan(2200);
    for (let from = 0; from < 1500; from += 100) {
      const inHalfASecond = times.filter((time) => time >= from && time < from + 500).length;
      expect(inHalfASecond).toBeLessThan(400);
    }
    const gaps = [...new Set(times)].map((time, index, list) => time - (list[index - 1] ?? 0));
    expect(new Set(gaps).size).toBeGreaterThan(3);
    expect(order).not.toEqual(all);
  });

  test('so many that they would take longer than the spread go faster', async () => {
    const { times } = await drain(10_000, { rate: 100, spread: 5000 });
    expect(times).toHaveLength(10_000);
    expect(times.at(-1)).toBeLessThanOrEqual(5200);
    expect(times.at(-1)).toBeGreaterThan(4500);
  });

  test('without a spread all go at once', async () => {
    const { times } = await drain(5000, { rate: 1, spread: 0 });
    expect(times).toEqual(Array.from({ length: 5000 }, () => 0));
  });

  test('those that wait for a confirmation go last, as soon as it has come or time is over', async () => {
    vi.useFakeTimers();
    const played = playConnections(6);
    const busy = new Set(played.all.slice(0, 2));
    const [confirmed, never] = [...busy] as [Connection, Connection];
    const drained = drainSockets({
      ...rest,
      connections: played.connections,
      isBusy: (connection) => busy.has(connection),
      pace: { rate: 500, spread: 1000 },
    });
    await vi.advanceTimersByTimeAsync(300);
    expect([played.open.size, played.open.has(confirmed)]).toEqual([2, true]);
    busy.delete(confirmed);
    await vi.advanceTimersByTimeAsync(20);
    expect([...played.open]).toEqual([never]);
    await vi.advanceTimersByTimeAsync(2000);
    await drained;
    expect(played.order.at(-1)).toBe(never);
  });
});

describe('its configuration', () => {
  const required = {
    NATS_URL: 'nats://localhost',
    REDIS_URL: 'redis://localhost',
    JWT_SECRET: 'a secret of these tests, 32 bytes and more',
  };

  test('fits into the time to stop by itself', () => {
    const drain = (env: Record<string, string>) =>
      drainOf(configSchema.parse({ ...required, ...env }));
    expect(drain({})).toEqual({ delay: 0, rate: 500, spread: 10_000 });
    expect(drain({ STOP_TIMEOUT: '4000' })).toEqual({ delay: 0, rate: 500, spread: 2000 });
    expect(drain({ DRAIN_DELAY: '5000' })).toEqual({ delay: 5000, rate: 500, spread: 7500 });
    expect(drain({ DRAIN_SPREAD: '0', DRAIN_RATE: '9' })).toEqual({ delay: 0, rate: 9, spread: 0 });
  });

  test('is refused when it does not', () => {
    const wrong = (env: Record<string, string>) =>
      configSchema.safeParse({ ...required, ...env }).error?.issues.map(({ path }) => path);
    expect(wrong({ DRAIN_SPREAD: '20000' })).toEqual([['DRAIN_SPREAD']]);
    expect(wrong({ DRAIN_DELAY: '5000', DRAIN_SPREAD: '10000' })).toEqual([['DRAIN_SPREAD']]);
    expect(wrong({ DRAIN_DELAY: '20000' })).toEqual([['DRAIN_DELAY']]);
    expect(wrong({ DRAIN_DELAY: '20000', STOP_TIMEOUT: '60000' })).toBeUndefined();
  });
});
