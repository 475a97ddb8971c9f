import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChatClient } from './chat-client.ts';
import { ChatError, unavailable } from './chat-error.ts';
import { follow } from './client-story-fixture.ts';
import { PlayedServer, pass, tokenFor } from './played-server-fixture.ts';
import type { TokenProvider } from './token-source.ts';

const expired = () => new ChatError('AUTH_EXPIRED', 'Invalid or expired token', false);
const invalid = () => new ChatError('AUTH_INVALID', 'Invalid or expired token', false);
const down = () => unavailable('The server cannot be reached');

describe('the connection', () => {
  let server: PlayedServer;
  const clients: ChatClient[] = [];
  function connect(token: TokenProvider) {
    const client = server.connect(token);
    clients.push(client);
    return client;
  }
  const renewals = () => server.requests.filter(({ event }) => event === 'refresh_token');

  beforeEach(() => {
    vi.useFakeTimers();
    server = new PlayedServer();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    for (const client of clients.splice(0)) {
      client.close();
    }
    vi.useRealTimers();
  });

  test('waits with full jitter and a doubling limit, 60 s at most, as long as it takes', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    server.refusals.push(...Array.from({ length: 10 }, down));
    const ada = connect(tokenFor('ada', 10_000_000));
    const delays: number[] = [];
    ada.on('state', (state) => {
      if (state.name === 'offline') {
        delays.push(state.retryAt - Date.now());
      }
    });
    await pass(600_000);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((s) => s * 1000));
    expect(ada.state.name).toBe('live');
  });

  test('jitter reaches down to nothing', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    server.refusals.push(down(), down(), down());
    const ada = connect(tokenFor('ada'));
    await pass(10);
    expect(ada.state.name).toBe('live');
  });

  test('a connection that does not last does not shorten the waiting', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const ada = connect(tokenFor('ada', 10_000_000));
    const delays: number[] = [];
    ada.on('state', (state) => {
      if (state.name === 'offline') {
        delays.push(state.retryAt - Date.now());
      }
    });
    for (let count = 0; count < 4; count += 1) {
      await pass(100_000 * Number(count === 3) + 9000);
      server.cut();
    }
    expect(delays).toEqual([1000, 2000, 4000, 1000]);
  });

  test('renews the token before it expires, on the same connection', async () => {
    const provider = vi.fn(() => tokenFor('ada', 900_000));
    const ada = connect(provider);
    const story = follow(ada);
    await pass(700_000);
    expect(renewals()).toHaveLength(0);
    await pass(195_000);
    expect(renewals()).toHaveLength(1);
    await pass(2_700_000);
    expect(renewals()).toHaveLength(4);
    expect(provider).toHaveBeenCalledTimes(5);
    expect(story.states).toEqual(['connecting', 'catching-up', 'live']);
  });

  test('with a clock that is an hour ahead it does not renew without end', async () => {
    connect(() => {
      const now = Date.now();
      // The server's clock, by which the token is made.
      vi.setSystemTime(now - 3_600_000);
      const token = tokenFor('ada', 900_000);
      vi.setSystemTime(now);
      return token;
    });
    await pass(600_000);
    expect(renewals().length).toBeGreaterThan(0);
    expect(renewals().length).toBeLessThan(5);
  });

  test('tries a failed renewal again, and says so', async () => {
    let fails = false;
    const ada = connect(() => {
      if (fails) {
        throw new Error('no network');
      }
      return tokenFor('ada', 100_000);
    });
    const story = follow(ada);
    await pass(10);
    fails = true;
    await pass(85_000);
    expect(story.errors).toContain('UNAVAILABLE');
    expect(renewals()).toHaveLength(0);
    fails = false;
    await pass(12_000);
    expect(renewals()).toHaveLength(1);
    expect(ada.state.name).toBe('live');
  });

  test('gets a new token when the server calls the old one expired', async () => {
    const refused: (string | undefined)[] = [];
    const given: string[] = [];
    server.refusals.push(expired());
    const ada = connect((token) => {
      refused.push(token);
      given.push(tokenFor('ada'));
      return given.at(-1) ?? '';
    });
    await pass(2000);
    expect(ada.state.name).toBe('live');
    expect(refused).toEqual([undefined, given[0]]);
  });

  test('comes back with a new token after the server closed for the old one', async () => {
    const provider = vi.fn(() => tokenFor('ada'));
    const ada = connect(provider);
    await pass(10);
    server.tell('ada', 'chat_error', { event: 'connection', code: 'AUTH_EXPIRED', message: 'x' });
    server.cut();
    await pass(2000);
    expect(ada.state.name).toBe('live');
    expect(provider).toHaveBeenCalledTimes(2);
  });

  test('a fixed token that is refused ends it, until told to try again', async () => {
    server.refusals.push(invalid());
    const ada = connect(tokenFor('ada'));
    await pass(300_000);
    expect(ada.state).toMatchObject({ name: 'refused', error: { code: 'AUTH_INVALID' } });
    expect(server.refusals).toEqual([]);
    ada.reconnect();
    await pass(10);
    expect(ada.state.name).toBe('live');
  });

  test('gives up after three refused tokens in a row', async () => {
    server.refusals.push(...Array.from({ length: 10 }, invalid));
    const provider = vi.fn(() => tokenFor('ada'));
    const ada = connect(provider);
    await pass(300_000);
    expect(ada.state.name).toBe('refused');
    expect(provider).toHaveBeenCalledTimes(3);
  });

  test('is refused when there is no token to be had, and offline when that may pass', async () => {
    const logout = connect(() => {
      throw new ChatError('AUTH_REQUIRED', 'Nobody is logged in', false);
    });
    let attempts = 0;
    const later = connect(() => {
      attempts += 1;
      if (attempts < 3) {
        throw new TypeError('fetch failed');
      }
      return tokenFor('ben');
    });
    await pass(0);
    expect(logout.state.name).toBe('refused');
    expect(later.state.name).toBe('offline');
    await pass(10_000);
    expect(later.state.name).toBe('live');
  });

  test('does not go on as somebody else', async () => {
    const names = ['ada', 'mallory'];
    const ada = connect(() => tokenFor(names.shift() ?? 'mallory'));
    await pass(10);
    server.tell('ada', 'chat_error', { code: 'AUTH_EXPIRED', message: 'x' });
    server.cut();
    await pass(10_000);
    expect(ada.userId).toBe('ada');
    expect(ada.state).toMatchObject({ name: 'refused', error: { code: 'AUTH_INVALID' } });
    expect(server.wires).toEqual([]);
  });

  test('nothing happens after close', async () => {
    const ada = connect(tokenFor('ada'));
    await pass(10);
    ada.close();
    expect(ada.state.name).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
    ada.reconnect();
    const late = ada.conversation('c').send('late');
    expect(late).toMatchObject({ state: 'refused', error: { code: 'CLOSED' } });
    await pass(100_000);
    expect(ada.state.name).toBe('closed');
    expect(server.requests).toEqual([]);
  });

  test('REST calls renew a token that is called expired, once', async () => {
    const provider = vi.fn(() => tokenFor('ada'));
    const ada = connect(provider);
    await pass(10);
    server.restFailure = { status: 401, code: 'AUTH_EXPIRED' };
    await expect(ada.rest.me()).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
    expect(provider).toHaveBeenCalledTimes(2);
  });

  test('reactions without a connection are refused as retryable', async () => {
    server.refusals.push(...Array.from({ length: 10 }, down));
    const ada = connect(tokenFor('ada'));
    await pass(0);
    await expect(ada.conversation('c').react('m', 'like')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
  });
});
