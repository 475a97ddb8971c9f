import { ChatError } from '@bambochat/client';
import { expect, test } from 'vitest';
import { checkAccount, explainRefusal } from './check-account.ts';

const good = { id: 'ada', email: 'ada@example.org', password: 'correct horse' };

test('a new account is checked field by field', () => {
  expect(checkAccount(good, true)).toEqual({});
  const problems = checkAccount({ id: 'a b', email: 'nobody', password: 'short' }, true);
  expect(Object.keys(problems)).toEqual(['id', 'email', 'password']);
});

test('a login is only checked for being there: the rules may have been others once', () => {
  expect(checkAccount({ id: 'a b', email: '', password: 'short' }, false)).toEqual({});
  expect(Object.keys(checkAccount({ id: '', email: '', password: '' }, false))).toEqual([
    'id',
    'password',
  ]);
});

test('what the server refuses is shown where it can be mended', () => {
  const field = (code: ConstructorParameters<typeof ChatError>[0], message = '') =>
    Object.keys(explainRefusal(new ChatError(code, message, false)))[0];
  expect(field('AUTH_INVALID')).toBe('password');
  expect(field('CONFLICT')).toBe('id');
  expect(field('VALIDATION', 'email: Invalid email address')).toBe('email');
  expect(field('UNAVAILABLE')).toBe('form');
  expect(Object.keys(explainRefusal(new TypeError('x')))).toEqual(['form']);
});
