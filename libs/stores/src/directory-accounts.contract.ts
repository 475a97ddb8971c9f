import { beforeAll, describe, expect, test } from 'vitest';
import { type DirectoryDoors, twentyAtOnce } from './directory-doors.fixture.ts';
import type { DirectoryStore } from './directory-store.ts';
import { newUserId, sampleAccount, sampleSession, userId } from './sample-records.fixture.ts';

/** What every directory store must do with accounts, profiles and sessions. */
export function accountsContract(doors: DirectoryDoors): void {
  let store: DirectoryStore;
  let other: DirectoryStore;
  beforeAll(() => {
    [store, other] = doors();
  });
  const atOnce = <T>(call: (door: DirectoryStore, index: number) => Promise<T>) =>
    twentyAtOnce(doors(), call);

  describe('accounts', () => {
    test('are found as they were created', async () => {
      const account = sampleAccount({
        bio: 'NUL \0 and 😀 "quotes"',
        avatar: 'https://example.org/a.png',
        isVerified: true,
      });
      expect(await store.createAccount(account)).toBe(true);
      expect(await other.account(account._id)).toEqual(account);
      expect(await store.account(newUserId())).toBeNull();
    });

    test('are refused when the id or the email is taken, in whatever case', async () => {
      const account = sampleAccount({ email: `Anna.${newUserId()}@Example.org` });
      await store.createAccount(account);
      expect(await store.createAccount(sampleAccount({ _id: account._id }))).toBe(false);
      expect(await store.createAccount(sampleAccount({ email: account.email }))).toBe(false);
      const shouted = sampleAccount({ email: account.email.toUpperCase() });
      expect(await store.createAccount(shouted)).toBe(false);
      expect(await store.account(shouted._id)).toBeNull();
      expect(await store.account(account._id)).toEqual(account);
    });

    test('ids that differ in case are different', async () => {
      const id = newUserId('case');
      await store.createAccount(sampleAccount({ _id: id }));
      const upper = sampleAccount({ _id: userId(id.toUpperCase()), email: `x-${id}@e.org` });
      expect(await store.createAccount(upper)).toBe(true);
      expect((await store.account(id))?._id).toBe(id);
    });

    test('of twenty that want one id exactly one is created', async () => {
      const id = newUserId();
      const outcomes = await atOnce((door, index) =>
        door.createAccount(sampleAccount({ _id: id, email: `${index}.${id}@example.org` })),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
    });

    test('of twenty that want one email exactly one is created', async () => {
      const email = `${newUserId()}@example.org`;
      const accounts = Array.from({ length: 20 }, () => sampleAccount({ email }));
      const outcomes = await atOnce((door, index) =>
        door.createAccount(accounts[index] ?? sampleAccount()),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const stored = await store.profiles(accounts.map(({ _id }) => _id));
      expect(stored).toHaveLength(1);
    });

    test('change their profile field by field', async () => {
      const account = sampleAccount({ bio: 'old' });
      await store.createAccount(account);
      const named = { ...account, displayName: 'New \0 Name' };
      expect(await store.updateProfile(account._id, { displayName: named.displayName })).toEqual(
        named,
      );
      expect(await store.updateProfile(account._id, { bio: '' })).toEqual({ ...named, bio: '' });
      expect(await store.updateProfile(account._id, {})).toEqual({ ...named, bio: '' });
      expect(await other.account(account._id)).toEqual({ ...named, bio: '' });
      expect(await store.updateProfile(newUserId(), { bio: 'x' })).toBeNull();
      expect(await store.updateProfile(newUserId(), {})).toBeNull();
    });
  });

  describe('profiles', () => {
    test('come in the order asked, without the unknown and without secrets', async () => {
      const accounts = Array.from({ length: 4 }, () => sampleAccount());
      for (const account of accounts) {
        await store.createAccount(account);
      }
      const [a, b, c, d] = accounts.map(({ email, passwordHash, isVerified, ...rest }) => rest);
      const ids = [d, b, c, a].map((profile) => profile?._id ?? newUserId());
      expect(await store.profiles([...ids.slice(0, 2), newUserId(), ...ids.slice(2)])).toEqual([
        d,
        b,
        c,
        a,
      ]);
      expect(await store.profiles([])).toEqual([]);
    });

    test('can be asked for a thousand at a time', async () => {
      const account = sampleAccount();
      await store.createAccount(account);
      const ids = Array.from({ length: 999 }, () => newUserId());
      expect((await store.profiles([...ids, account._id])).map(({ _id }) => _id)).toEqual([
        account._id,
      ]);
    });
  });

  describe('searchProfiles', () => {
    const root = newUserId('s');
    const ids = ['_a', '.a', '-a', 'A', 'B', 'a', 'aa', 'ab', 'ab.c', 'ab_c', 'abXc', 'b', '~'];
    beforeAll(async () => {
      for (const id of ids) {
        await store.createAccount(sampleAccount({ _id: `${root}${id}` as typeof root }));
      }
    });
    const found = async (prefix: string, limit = 100) =>
      (await store.searchProfiles(`${root}${prefix}`, limit)).map(({ _id }) =>
        _id.slice(root.length),
      );

    test.each([
      ['a', ['a', 'aa', 'ab', 'ab.c', 'abXc', 'ab_c']],
      ['A', ['A']],
      ['ab', ['ab', 'ab.c', 'abXc', 'ab_c']],
      ['ab_', ['ab_c']],
      ['ab.', ['ab.c']],
      ['.', ['.a']],
      ['_', ['_a']],
      ['%', []],
      ['a%', []],
      ['.*', []],
      ['abc', []],
    ])('takes %s literally', async (prefix, expected) => {
      expect(await found(prefix)).toEqual(expected);
    });

    test('is ordered by id and limited', async () => {
      expect(await found('')).toEqual([...ids].sort());
      expect(await found('', 3)).toEqual([...ids].sort().slice(0, 3));
      expect(await found('', 0)).toEqual([]);
    });

    test('shows public profiles', async () => {
      const [profile] = await store.searchProfiles(`${root}A`, 1);
      expect(Object.keys(profile ?? {}).sort()).toEqual(
        ['_id', 'avatar', 'bio', 'createdAt', 'displayName'].sort(),
      );
    });
  });

  describe('sessions', () => {
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const past = new Date(Date.now() - 1000).toISOString();

    test('are found as they were created', async () => {
      const session = sampleSession();
      await store.createSession(session);
      expect(await other.session(session._id)).toEqual(session);
      expect(await store.session('unknown')).toBeNull();
    });

    test('rotate to the next token and expiry', async () => {
      const session = sampleSession();
      await store.createSession(session);
      expect(await store.rotateSession(session._id, 'token-1', 'token-2', later)).toBe(true);
      expect(await store.session(session._id)).toEqual({
        ...session,
        currentToken: 'token-2',
        expiresAt: later,
      });
    });

    test('do not rotate from a spent token, nor when unknown', async () => {
      const session = sampleSession();
      await store.createSession(session);
      await store.rotateSession(session._id, 'token-1', 'token-2', later);
      expect(await store.rotateSession(session._id, 'token-1', 'token-3', later)).toBe(false);
      expect((await store.session(session._id))?.currentToken).toBe('token-2');
      expect(await store.rotateSession('unknown', 'token-1', 'token-2', later)).toBe(false);
    });

    test('of twenty that spend one token exactly one succeeds', async () => {
      const session = sampleSession();
      await store.createSession(session);
      const outcomes = await atOnce((door, index) =>
        door.rotateSession(session._id, 'token-1', `next-${index}`, later),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect((await store.session(session._id))?.currentToken).toBe(
        `next-${outcomes.indexOf(true)}`,
      );
    });

    test('end when they are revoked, once', async () => {
      const session = sampleSession();
      await store.createSession(session);
      expect((await atOnce((door) => door.revokeSession(session._id))).filter(Boolean)).toEqual([
        true,
      ]);
      expect(await store.session(session._id)).toBeNull();
      expect(await store.rotateSession(session._id, 'token-1', 'token-2', later)).toBe(false);
    });

    test('end when they expire', async () => {
      const session = sampleSession({ expiresAt: past });
      await store.createSession(session);
      expect(await store.session(session._id)).toBeNull();
      expect(await store.rotateSession(session._id, 'token-1', 'token-2', later)).toBe(false);
      expect(await store.revokeSession(session._id)).toBe(false);
    });
  });
}
