import { describe, expect, test, vi } from 'vitest';
import { tokenFor } from './played-server-fixture.ts';
import type { Fetch } from './rest-client.ts';
import { memorySession, Session, webStorageSession } from './session.ts';

/** A directory that lets each refresh token be spent once. */
function playedDirectory() {
  let current = 0;
  const exchanges: string[] = [];
  const pair = () => {
    current += 1;
    return { accessToken: tokenFor('ada'), refreshToken: `refresh-${current}` };
  };
  const fetch: Fetch = async (url, init) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (url.endsWith('/login')) {
      return Response.json({ ...pair(), user: { _id: 'ada' } });
    }
    const { refreshToken } = JSON.parse(String(init.body));
    exchanges.push(refreshToken);
    return refreshToken === `refresh-${current}`
      ? Response.json(pair())
      : Response.json({ code: 'AUTH_INVALID', message: 'x', status: 401 }, { status: 401 });
  };
  return { fetch, exchanges };
}

describe('a login session', () => {
  test('gives the token at hand, and exchanges it once for all who ask', async () => {
    const { fetch, exchanges } = playedDirectory();
    const session = new Session({ url: 'http://played.example', fetch });
    await session.login('ada', 'secret');
    expect(session.userId).toBe('ada');
    const first = await session.token();
    expect(await session.token()).toBe(first);
    expect(exchanges).toEqual([]);
    const all = await Promise.all([session.token(first), session.token(first), session.token()]);
    expect(new Set(all).size).toBe(1);
    expect(all[0]).not.toBe(first);
    expect(exchanges).toEqual(['refresh-1']);
  });

  test('exchanges a token that is nearly over', async () => {
    const { fetch, exchanges } = playedDirectory();
    const session = new Session({ url: 'http://played.example', fetch });
    await session.login('ada', 'secret');
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 700_000);
    await session.token();
    vi.useRealTimers();
    expect(exchanges).toEqual(['refresh-1']);
  });

  test('two that share a storage go on with what the other was given', async () => {
    const { fetch, exchanges } = playedDirectory();
    const storage = memorySession();
    const [one, other] = [0, 1].map(
      () => new Session({ url: 'http://played.example', fetch, storage }),
    ) as [Session, Session];
    await one.login('ada', 'secret');
    const old = await one.token();
    await one.token(old);
    await other.token(old);
    expect(exchanges).toEqual(['refresh-1']);
  });

  test('without a login there is no token', async () => {
    const session = new Session({ url: 'http://played.example' });
    expect(session.userId).toBeNull();
    await expect(session.token()).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });

  test('Web Storage keeps it', () => {
    const values = new Map<string, string>();
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => values.set(key, value),
      removeItem: (key: string) => values.delete(key),
    } as unknown as Storage;
    const tokens = { accessToken: 'a', refreshToken: 'b' };
    webStorageSession({ storage }).write(tokens);
    expect(webStorageSession({ storage }).read()).toEqual(tokens);
    webStorageSession({ storage }).write(null);
    expect(values.size).toBe(0);
  });
});
