import { type SessionEnded, sessionEndedSchema, subjects, type UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  type Engines,
  expiredIssuer,
  issuer,
  startDirectory,
  verifier,
} from './directory-fixture.ts';
import type { DeriveKey } from './hash-password.ts';

const password = 'correct horse battery';
let counter = 0;
function newId(): UserId {
  counter += 1;
  return `acc-${process.pid}-${Date.now()}-${counter}` as UserId;
}

const wrongLogin = { message: 'Wrong id or password', code: 'AUTH_INVALID', status: 401 };
const invalidToken = { message: 'Invalid or expired token', code: 'AUTH_INVALID', status: 401 };

/** Accounts, sessions and profiles, over whichever engines. */
export function accountsContract(engines: () => Engines): void {
  async function registered(overrides: Parameters<typeof startDirectory>[1] = {}) {
    const fixture = await startDirectory(engines(), overrides);
    const id = newId();
    const post = (path: string, payload: unknown, headers: Record<string, string> = {}) =>
      fixture.request('POST', `/api/auth/${path}`, { payload, headers });
    const answer = await post('register', { id, email: `${id}@example.org`, password });
    expect(answer.status).toBe(201);
    const logIn = async () => (await post('login', { id, password })).body;
    return {
      fixture,
      id,
      post,
      logIn,
      [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    };
  }

  describe('registration', () => {
    it('opens an account with the defaults of the contract', async () => {
      await using it = await registered();
      const me = await it.fixture.request('GET', '/api/users/me', { as: it.id });
      expect(me.body).toEqual({
        _id: it.id,
        displayName: it.id,
        bio: '',
        avatar: null,
        createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
        email: `${it.id}@example.org`,
        isVerified: false,
      });
      const stored = await engines().directoryStore.account(it.id);
      expect(stored?.passwordHash).toMatch(/^\$scrypt\$ln=4,r=8,p=3\$[^$]{22}\$[^$]{43}$/);
    });

    it('answers a taken id and a taken email with the same 409', async () => {
      await using it = await registered();
      const other = newId();
      const taken = await it.post('register', {
        id: it.id,
        email: `${other}@example.org`,
        password,
      });
      const email = `${it.id}@EXAMPLE.org`;
      const takenEmail = await it.post('register', { id: other, email, password });
      expect(taken.status).toBe(409);
      expect(taken.body.code).toBe('CONFLICT');
      expect(takenEmail.body).toEqual(taken.body);
    });

    it('names the field that is wrong', async () => {
      await using it = await registered();
      const good = { id: newId(), email: 'a@example.org', password };
      for (const [field, value] of Object.entries({
        id: 'no spaces',
        email: 'nobody',
        password: 'short',
      })) {
        const answer = await it.post('register', { ...good, [field]: value });
        expect(answer.status).toBe(400);
        expect(answer.body.message).toMatch(new RegExp(`^${field}: `));
        const without = await it.post('register', { ...good, [field]: undefined });
        expect(without.body.message).toMatch(new RegExp(`^${field}: `));
      }
    });

    it('lets one of many at once have the id', async () => {
      await using it = await registered();
      const id = newId();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          it.post('register', { id, email: `${id}-${index}@example.org`, password }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    });
  });

  describe('login', () => {
    it('gives tokens that work and the user, and no hash', async () => {
      await using it = await registered();
      const answer = await it.post('login', { id: it.id, password });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        user: { _id: it.id, id: it.id, email: `${it.id}@example.org`, displayName: it.id },
      });
      const me = await it.fixture.request('GET', '/api/users/me', {
        headers: { authorization: `Bearer ${answer.body.accessToken}` },
      });
      expect(me.status).toBe(200);
    });

    it('takes one path and gives one answer for unknown id and wrong password', async () => {
      const derived: { keyBytes: number; options: unknown; saltBytes: number }[] = [];
      const { scryptSync } = await import('node:crypto');
      const deriveKey: DeriveKey = async (given, salt, keyBytes, options) => {
        derived.push({ keyBytes, options, saltBytes: salt.length });
        return scryptSync(given, salt, keyBytes, options);
      };
      await using it = await registered({ deriveKey });
      const answers = [];
      const hashes = [];
      for (const login of [
        { id: it.id, password: 'a wrong password' },
        { id: newId(), password: 'a wrong password' },
        { id: 'not an id at all! \ud800', password: 'a wrong password' },
      ]) {
        derived.length = 0;
        answers.push(await it.post('login', login));
        hashes.push(structuredClone(derived));
      }
      for (const answer of answers) {
        expect(answer.status).toBe(401);
        expect(answer.body).toEqual(wrongLogin);
        expect(Object.keys(answer.headers)).toEqual(Object.keys(answers[0]?.headers ?? {}));
      }
      expect(hashes[0]).toHaveLength(1);
      expect(hashes[1]).toEqual(hashes[0]);
      expect(hashes[2]).toEqual(hashes[0]);
    });

    it('knows a password however its characters were typed', async () => {
      await using it = await registered();
      const id = newId();
      const decomposed = 'cafe\u0301 au lait';
      await it.post('register', { id, email: `${id}@example.org`, password: decomposed });
      const answer = await it.post('login', { id, password: decomposed.normalize('NFC') });
      expect(answer.status).toBe(200);
    });
  });

  describe('limits', () => {
    it('stops guessing at an account, existing or not, also when all come at once', async () => {
      await using it = await registered({ settings: { LOGIN_FAILURES_PER_ACCOUNT: 3 } });
      for (const id of [it.id, newId()]) {
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => it.post('login', { id, password: 'a wrong guess' })),
        );
        const guessed = answers.filter(({ status }) => status === 401);
        const stopped = answers.filter(({ status }) => status === 429);
        // Two hashes run at once, so one guess may slip in beside the last that was allowed.
        expect(guessed.length).toBeGreaterThanOrEqual(3);
        expect(guessed.length).toBeLessThanOrEqual(4);
        expect(guessed.length + stopped.length).toBe(12);
        expect(stopped[0]?.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
        expect(Number(stopped[0]?.headers['retry-after'])).toBeGreaterThan(0);
      }
      // The right password does not help either, or guessing would go on until it is right.
      expect((await it.post('login', { id: it.id, password })).status).toBe(429);
    });

    it('does not count logins that succeed', async () => {
      await using it = await registered({ settings: { LOGIN_FAILURES_PER_ACCOUNT: 2 } });
      for (let login = 0; login < 5; login += 1) {
        expect((await it.post('login', { id: it.id, password })).status).toBe(200);
      }
    });

    it('counts registrations and logins of one address together', async () => {
      await using fixture = await startDirectory(engines(), {
        settings: { AUTH_REQUESTS_PER_ADDRESS: 3 },
      });
      const from = (address: string, path: string) =>
        fixture.request('POST', `/api/auth/${path}`, {
          payload: {},
          headers: { 'x-forwarded-for': address },
        });
      for (const path of ['login', 'register', 'login']) {
        expect((await from('198.51.100.1', path)).status).toBe(400);
      }
      const stopped = await from('198.51.100.1', 'register');
      expect(stopped.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
      expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0);
      expect((await from('198.51.100.2', 'login')).status).toBe(400);
      // The addresses of one IPv6 household count as one.
      for (const last of ['1', '2', 'ffff:1']) {
        expect((await from(`2001:db8:0:1::${last}`, 'login')).status).toBe(400);
      }
      expect((await from('2001:db8:0:1:aaaa::1', 'login')).status).toBe(429);
      expect((await from('2001:db8:0:2::1', 'login')).status).toBe(400);
    });

    it('refuses logins that would wait too long', async () => {
      const gate = Promise.withResolvers<void>();
      let open = true;
      const deriveKey: DeriveKey = async (_password, _salt, keyBytes) => {
        if (!open) {
          await gate.promise;
        }
        return Buffer.alloc(keyBytes);
      };
      await using fixture = await startDirectory(engines(), { deriveKey });
      open = false;
      const logins = Array.from({ length: 110 }, (_, index) =>
        fixture.request('POST', '/api/auth/login', {
          payload: { id: `nobody-${index}`, password: 'whatever it is' },
        }),
      );
      const refused: Answer[] = [];
      for (const login of logins) {
        void login.then((answer) => refused.push(answer));
      }
      await waitFor(() => refused.length >= 8);
      expect(refused[0]?.body).toMatchObject({ code: 'OVERLOADED', status: 503 });
      gate.resolve();
      const statuses = (await Promise.all(logins)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 503)).toHaveLength(8);
    });
  });

  describe('sessions', () => {
    it('rotates: a new pair works, the old refresh token is spent', async () => {
      await using it = await registered();
      const first = await it.logIn();
      const second = await it.post('refresh', { refreshToken: first.refreshToken });
      expect(second.status).toBe(200);
      expect(second.body.refreshToken).not.toBe(first.refreshToken);
      const third = await it.post('refresh', { refreshToken: second.body.refreshToken });
      expect(third.status).toBe(200);
      const me = await it.fixture.request('GET', '/api/users/me', {
        headers: { authorization: `Bearer ${third.body.accessToken}` },
      });
      expect(me.body).toMatchObject({ _id: it.id });
    });

    it('revokes the session when a spent token is used again, and only that session', async () => {
      await using it = await registered();
      const elsewhere = await it.logIn();
      const first = await it.logIn();
      const second = await it.post('refresh', { refreshToken: first.refreshToken });
      const reuse = await it.post('refresh', { refreshToken: first.refreshToken });
      expect(reuse.status).toBe(401);
      expect(reuse.body).toEqual(invalidToken);
      const after = await it.post('refresh', { refreshToken: second.body.refreshToken });
      expect(after.body).toEqual(invalidToken);
      const other = await it.post('refresh', { refreshToken: elsewhere.refreshToken });
      expect(other.status).toBe(200);
    });

    it('lets one of many at once spend a token', async () => {
      await using it = await registered();
      const { refreshToken } = await it.logIn();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => it.post('refresh', { refreshToken })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(401)]);
    });

    it('refuses access tokens, expired tokens and garbage', async () => {
      await using it = await registered();
      const login = { userId: it.id, sessionId: 'absent', tokenId: 't' };
      const cases: [unknown, string][] = [
        [(await it.logIn()).accessToken, 'AUTH_INVALID'],
        ['garbage', 'AUTH_INVALID'],
        [issuer.issueRefresh(login).token, 'AUTH_INVALID'],
        [expiredIssuer.issueRefresh(login).token, 'AUTH_EXPIRED'],
      ];
      for (const [refreshToken, code] of cases) {
        const answer = await it.post('refresh', { refreshToken });
        expect(answer.body).toEqual({ ...invalidToken, code });
      }
      expect((await it.post('refresh', {})).status).toBe(400);
    });

    it('ends with a logout by refresh token, as often as it is asked', async () => {
      await using it = await registered();
      const { refreshToken } = await it.logIn();
      for (let times = 0; times < 2; times += 1) {
        const answer = await it.post('logout', { refreshToken });
        expect(answer.status).toBe(200);
        expect(answer.body).toEqual({ message: 'Logged out' });
      }
      expect((await it.post('refresh', { refreshToken })).body).toEqual(invalidToken);
    });

    it('ends with a logout by access token, with or without a body', async () => {
      await using it = await registered();
      for (const payload of [undefined, {}, '']) {
        const { accessToken, refreshToken } = await it.logIn();
        const authorization = `Bearer ${accessToken}`;
        expect((await it.post('logout', payload, { authorization })).status).toBe(200);
        expect((await it.post('refresh', { refreshToken })).status).toBe(401);
      }
    });

    it('tells gateways at once when it ends, and when they ask', async () => {
      await using it = await registered();
      const { bus } = it.fixture;
      const ended: SessionEnded[] = [];
      bus.subscribe(subjects.sessionEnded, (payload) => {
        ended.push(sessionEndedSchema.parse(payload));
      });
      await bus.flush();
      const sessionOf = (token: string) => verifier.verifyAccess(token).sid ?? '';
      const [left, reused, stays] = [await it.logIn(), await it.logIn(), await it.logIn()];
      const all = [left, reused, stays].map(({ accessToken }) => sessionOf(String(accessToken)));
      const { userId } = verifier.verifyAccess(String(stays.accessToken));
      const ask = (of: string) =>
        bus.request(subjects.conversationsOf, { userId: of, sessionIds: all });
      expect(await ask(userId)).toEqual({ conversationIds: [], endedSessions: [] });

      await it.post('logout', { refreshToken: left.refreshToken });
      await it.post('refresh', { refreshToken: reused.refreshToken });
      expect((await it.post('refresh', { refreshToken: reused.refreshToken })).status).toBe(401);
      await waitFor(() => ended.length === 2);
      expect(ended).toEqual(all.slice(0, 2).map((sessionId) => ({ userId, sessionId })));
      expect(await ask(userId)).toEqual({ conversationIds: [], endedSessions: all.slice(0, 2) });
      // A session is good for its own user alone.
      expect(await ask('somebody-else')).toMatchObject({ endedSessions: all });
    });

    it('asks for a token to log out with', async () => {
      await using it = await registered();
      for (const payload of [undefined, {}]) {
        const answer = await it.post('logout', payload);
        expect(answer.body).toMatchObject({ code: 'VALIDATION', status: 400 });
        expect(answer.body.message).toMatch(/^refreshToken: /);
      }
      expect((await it.post('logout', { refreshToken: 'x' })).body).toEqual(invalidToken);
      const expired = { userId: it.id, sessionId: 's', tokenId: 't' };
      const { token } = expiredIssuer.issueRefresh(expired);
      expect((await it.post('logout', { refreshToken: token })).status).toBe(200);
    });
  });

  describe('users', () => {
    it('are found by the beginning of their id, without their email', async () => {
      await using fixture = await startDirectory(engines());
      const prefix = `find.${Date.now()}_`;
      const found: UserId[] = [];
      const seeker = await fixture.addUser('seeker');
      for (let index = 0; index < 25; index += 1) {
        found.push(await fixture.addUser(`${prefix}${String(index).padStart(2, '0')}`));
      }
      const search = (text: string) =>
        fixture.request('GET', `/api/users/search?id=${encodeURIComponent(text)}`, {
          as: seeker,
        });
      const answer = (await search(prefix)).body as unknown as { _id: string }[];
      expect(answer.map(({ _id }) => _id)).toEqual(found.slice(0, 20));
      expect(Object.keys(answer[0] ?? {}).sort()).toEqual(
        ['_id', 'avatar', 'bio', 'createdAt', 'displayName'].sort(),
      );
      expect((await search(prefix.toUpperCase())).body).toEqual([]);
      expect((await search('%')).body).toMatchObject({ code: 'VALIDATION' });
      expect((await search('')).body.message).toMatch(/^id: /);
    });

    it('change their profile, a part of it or all', async () => {
      await using fixture = await startDirectory(engines());
      const alice = await fixture.addUser('alice');
      const put = (payload: unknown) =>
        fixture.request('PUT', '/api/users/profile', { as: alice, payload });
      expect((await put({ displayName: 'Älice 🐼' })).body).toMatchObject({
        displayName: 'Älice 🐼',
        bio: 'a bio',
      });
      expect((await put({ bio: '' })).body).toMatchObject({ displayName: 'Älice 🐼', bio: '' });
      const tricky = await put({ bio: 'x', email: 'e@x.org', isVerified: true, _id: 'eve' });
      expect(tricky.body).toMatchObject({
        _id: alice,
        email: `${alice}@example.org`,
        isVerified: false,
      });
      for (const wrong of [
        {},
        { displayName: '' },
        { displayName: ' ' },
        { bio: 'x'.repeat(501) },
      ]) {
        expect((await put(wrong)).status).toBe(400);
      }
    });

    it('are only for users', async () => {
      await using fixture = await startDirectory(engines());
      for (const [method, url] of [
        ['GET', '/api/users/search?id=a'],
        ['GET', '/api/users/me'],
        ['PUT', '/api/users/profile'],
        ['GET', '/api/conversations'],
        ['POST', '/api/conversations'],
        ['POST', '/api/conversations/x/participants'],
        ['DELETE', '/api/conversations/x/participants/y'],
      ] as const) {
        const answer = await fixture.request(method, url);
        expect(answer.body, url).toMatchObject({ code: 'AUTH_REQUIRED', status: 401 });
      }
    });
  });
}
