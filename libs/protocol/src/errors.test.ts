import { expect, test } from 'vitest';
import {
  AppError,
  errorCatalogue,
  fromWireError,
  isTransient,
  notFound,
  toWireError,
  unavailable,
} from './errors.ts';

test('every error has a number of its own', () => {
  const numbers = Object.values(errorCatalogue).map((entry) => entry.number);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('a client never sees the message of an unexpected error', () => {
  const wire = toWireError(new Error('connect ECONNREFUSED mongodb://admin:secret@db'));
  expect(wire).toEqual({ code: 'INTERNAL', message: 'Internal error', retryable: false });
});

test('an error survives the way over a wire', () => {
  const wire = toWireError(new AppError('RATE_LIMITED', 'slow down'));
  expect(wire).toEqual({ code: 'RATE_LIMITED', message: 'slow down', retryable: true });
  expect(fromWireError(wire)).toMatchObject({ code: 'RATE_LIMITED', status: 429, number: 1005 });
});

test('only "later" is transient', () => {
  expect(isTransient(unavailable('The store'))).toBe(true);
  expect(isTransient(new AppError('OVERLOADED', 'full'))).toBe(true);
  expect(isTransient(notFound('Conversation'))).toBe(false);
  expect(isTransient(new Error('bug'))).toBe(false);
});
