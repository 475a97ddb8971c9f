import { beforeAll, describe, expect, test } from 'vitest';
import { expectRestError, timestamp } from './contract-shapes.ts';
import {
  createDirect,
  keepSecret,
  logIn,
  newPeople,
  newPerson,
  type Person,
  randomName,
  type TokenPair,
} from './person.ts';
import { type RestAnswer, request } from './rest-client.ts';
import type { Target } from './target.ts';

export function describeAccounts(target: () => Target): void {
  describe('accounts', () => {
    let ada: Person;
    let ben: Person;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'acc', 2)) as [Person, Person];
    });

    const post = (path: string, json: unknown): Promise<RestAnswer> =>
      request(target().restUrl, 'POST', path, { json });
    const refresh = (refreshToken: string) => post('/api/auth/refresh', { refreshToken });

    async function refreshed(refreshToken: string): Promise<TokenPair> {
      const answer = await refresh(refreshToken);
      expect(answer).toMatchObject({
        status: 200,
        body: { accessToken: expect.any(String), refreshToken: expect.any(String) },
      });
      const pair = answer.body as TokenPair;
      keepSecret(pair.accessToken);
      keepSecret(pair.refreshToken);
      return pair;
    }

    test('an account is registered once', async () => {
      const id = `once-${randomName()}`;
      const account = { id, email: `${id}@mail.example`, password: 'correct horse' };
      const first = await post('/api/auth/register', account);
      expect(first).toMatchObject({ status: 201, body: { userId: id } });
      expect(first.body).toStrictEqual({ message: expect.stringMatching(/\S/), userId: id });
      expectRestError(await post('/api/auth/register', account), 409, 'CONFLICT');
      const other = { ...account, email: `other-${account.email}` };
      expectRestError(await post('/api/auth/register', other), 409, 'CONFLICT');
    });

    test('of two that register one id at once, one wins', async () => {
      const id = `race-${randomName()}`;
      const answers = await Promise.all(
        [1, 2, 3, 4].map((number) =>
          post('/api/auth/register', {
            id,
            email: `${id}-${number}@mail.example`,
            password: `password ${number}`,
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
      const winner = answers.findIndex(({ status }) => status === 201) + 1;
      const login = await post('/api/auth/login', { id, password: `password ${winner}` });
      expect(login.status).toBe(200);
    });

    test('wrong registrations are refused, and the field is named', async () => {
      const good = { id: randomName(), email: 'a@mail.example', password: 'correct horse' };
      const wrong: [unknown, string][] = [
        [{ ...good, id: '' }, 'id'],
        [{ ...good, id: 'x'.repeat(51) }, 'id'],
        [{ ...good, id: 'a b' }, 'id'],
        [{ ...good, id: 'a/b' }, 'id'],
        [{ ...good, id: 'ä' }, 'id'],
        [{ ...good, id: `${randomName()}\n` }, 'id'],
        [{ ...good, id: { $gt: '' } }, 'id'],
        [{ ...good, id: ['a'] }, 'id'],
        [{ ...good, id: 7 }, 'id'],
        [{ email: good.email, password: good.password }, 'id'],
        [{ ...good, email: 'nobody' }, 'email'],
        [{ ...good, email: { $ne: null } }, 'email'],
        [{ id: good.id, password: good.password }, 'email'],
        [{ ...good, password: '' }, 'password'],
        [{ ...good, password: null }, 'password'],
        [{ ...good, password: { $gt: '' } }, 'password'],
        [{ ...good, password: 'x'.repeat(50_000) }, 'password'],
        [{ id: good.id, email: good.email }, 'password'],
      ];
      for (const [json, field] of wrong) {
        expectRestError(await post('/api/auth/register', json), 400, 'VALIDATION', field);
      }
    });

    test('login answers two tokens and the user', async () => {
      const answer = await post('/api/auth/login', { id: ada.userId, password: ada.password });
      expect(answer.status).toBe(200);
      expect(answer.body).toStrictEqual({
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        refreshToken: expect.stringMatching(/\S/),
        user: {
          _id: ada.userId,
          id: ada.userId,
          email: ada.email,
          displayName: expect.any(String),
        },
      });
      const { accessToken } = answer.body as TokenPair;
      const [header = '', payload = ''] = accessToken.split('.');
      const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
      expect(['HS256', 'RS256', 'ES256', 'EdDSA']).toContain(decode(header).alg);
      const claims = decode(payload);
      expect(claims).toMatchObject({
        sub: ada.userId,
        userId: ada.userId,
        iss: expect.any(String),
        aud: expect.anything(),
        jti: expect.any(String),
      });
      expect(claims.exp - claims.iat).toBe(15 * 60);
    });

    test('a wrong id and a wrong password get the same answer', async () => {
      const wrongPassword = await post('/api/auth/login', {
        id: ada.userId,
        password: 'wrong one',
      });
      const wrongId = await post('/api/auth/login', { id: randomName(), password: ada.password });
      expectRestError(wrongPassword, 401, 'AUTH_INVALID');
      expect(wrongId.body).toStrictEqual(wrongPassword.body);
      expect(wrongId.status).toBe(401);
      for (const password of [{ $gt: '' }, null, 7, ['x'], '']) {
        const answer = await post('/api/auth/login', { id: ada.userId, password });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
      }
    });

    test('refreshing spends the refresh token, and using it again ends the session', async () => {
      const session = await logIn(target(), ada);
      const other = await logIn(target(), ada);
      const second = await refreshed(session.refreshToken);
      expect(second.refreshToken).not.toBe(session.refreshToken);
      const third = await refreshed(second.refreshToken);
      const me = await ada.rest('GET', '/api/users/me', { token: third.accessToken });
      expect(me.status).toBe(200);

      expectRestError(await refresh(session.refreshToken), 401, 'AUTH_INVALID');
      // Somebody has a copy: the whole session is over, and no other one is.
      expectRestError(await refresh(third.refreshToken), 401, 'AUTH_INVALID');
      await refreshed(other.refreshToken);
    });

    test('of two that refresh with one token at once, at most one wins', async () => {
      const session = await logIn(target(), ben);
      const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(session.refreshToken)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses.slice(1)).toEqual([401, 401, 401]);
      expect([200, 401]).toContain(statuses[0]);
    });

    test('what is no refresh token is refused', async () => {
      for (const token of ['x', 'a.b.c', ada.accessToken]) {
        expectRestError(await refresh(token), 401, 'AUTH_INVALID');
      }
      for (const body of [{}, { refreshToken: 7 }, { refreshToken: { $gt: '' } }, []]) {
        const answer = await post('/api/auth/refresh', body);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
      }
    });

    test('logout ends one session', async () => {
      const session = await logIn(target(), ben);
      const other = await logIn(target(), ben);
      const answer = await session.rest('POST', '/api/auth/logout', {
        json: { refreshToken: session.refreshToken },
      });
      expect(answer.status).toBeGreaterThanOrEqual(200);
      expect(answer.status).toBeLessThan(300);
      expectRestError(await refresh(session.refreshToken), 401, 'AUTH_INVALID');
      await refreshed(other.refreshToken);
    });

    test('search finds users by prefix and shows no email', async () => {
      const prefix = `find-${randomName()}`;
      const found = [
        await newPerson(target(), `${prefix}-a`),
        await newPerson(target(), `${prefix}-b`),
      ];
      const answer = await ada.rest('GET', '/api/users/search', { query: { id: prefix } });
      expect(answer.status).toBe(200);
      const users = answer.body as { _id: string }[];
      expect(users.map(({ _id }) => _id).sort()).toEqual(found.map(({ userId }) => userId).sort());
      for (const user of users) {
        expect(user).toStrictEqual({
          _id: expect.any(String),
          displayName: expect.any(String),
          bio: expect.any(String),
          avatar: null,
          createdAt: expect.stringMatching(timestamp),
        });
      }
      // A prefix is a text and no pattern.
      for (const id of ['.'.repeat(prefix.length), `${prefix.slice(0, -1)}.`]) {
        const none = await ada.rest('GET', '/api/users/search', { query: { id } });
        expect(none).toMatchObject({ status: 200, body: [] });
      }
      const anonymous = await request(target().restUrl, 'GET', `/api/users/search?id=${prefix}`);
      expectRestError(anonymous, 401, 'AUTH_REQUIRED');
    });

    test('a profile is shown to its owner and changed by its owner', async () => {
      const own = {
        _id: ben.userId,
        displayName: expect.any(String),
        bio: expect.any(String),
        avatar: null,
        createdAt: expect.stringMatching(timestamp),
        email: ben.email,
        isVerified: expect.any(Boolean),
      };
      const before = await ben.rest('GET', '/api/users/me');
      expect(before.status).toBe(200);
      expect(before.body).toStrictEqual(own);
      const change = { displayName: 'Ben ✨', bio: 'Line one\nline two' };
      const changed = await ben.rest('PUT', '/api/users/profile', { json: change });
      expect(changed.status).toBe(200);
      const after = await ben.rest('GET', '/api/users/me');
      expect(after.body).toStrictEqual({ ...own, ...change });
      const direct = await createDirect(ada, ben);
      expect(direct.participants).toContainEqual(expect.objectContaining(change));
      const partly = await ben.rest('PUT', '/api/users/profile', { json: { bio: '' } });
      expect(partly.status).toBe(200);
      expect((await ben.rest('GET', '/api/users/me')).body).toStrictEqual({
        ...own,
        ...change,
        bio: '',
      });
    });

    test('a wrong profile is refused, and the field is named', async () => {
      const wrong: [unknown, string][] = [
        [{ displayName: '' }, 'displayName'],
        [{ displayName: '   ' }, 'displayName'],
        [{ displayName: 'x'.repeat(10_000) }, 'displayName'],
        [{ displayName: { $set: 1 } }, 'displayName'],
        [{ displayName: '\udc00' }, 'displayName'],
        [{ bio: 7 }, 'bio'],
        [{ bio: 'x'.repeat(10_000) }, 'bio'],
      ];
      for (const [json, field] of wrong) {
        const answer = await ada.rest('PUT', '/api/users/profile', { json });
        expectRestError(answer, 400, 'VALIDATION', field);
      }
      const json = { bio: 'mine', email: 'x@y.z', passwordHash: 'x', _id: ben.userId };
      await ada.rest('PUT', '/api/users/profile', { json });
      const me = await ada.rest('GET', '/api/users/me');
      expect(me.body).toMatchObject({ _id: ada.userId, email: ada.email, bio: 'mine' });
    });

    test('no answer carries a password, a hash, or the email of somebody else', async () => {
      const { _id } = await createDirect(ada, await newPerson(target(), 'acc'));
      const answers = await Promise.all([
        ada.rest('GET', '/api/users/me'),
        ada.rest('GET', '/api/users/search', { query: { id: 'acc' } }),
        ada.rest('GET', '/api/conversations'),
        ada.rest('GET', '/messages', { query: { conversationId: _id } }),
        post('/api/auth/login', { id: ada.userId, password: ada.password }),
        ada.rest('PUT', '/api/users/profile', { json: { bio: 'x' } }),
      ]);
      const text = JSON.stringify(answers.map(({ body }) => body));
      expect(text).not.toMatch(/password|scrypt|argon|hash|salt/i);
      const emails = new Set(text.match(/[^"]+@mail\.example/g));
      expect([...emails]).toEqual([ada.email]);
    });
  });
}
