import { expect, test } from 'vitest';
import { directKey } from './direct-key.ts';
import { sampleMembership, userId } from './sample-records.fixture.ts';

const keyOf = (a: string, b: string) =>
  directKey([sampleMembership({ userId: userId(a) }), sampleMembership({ userId: userId(b) })]);

test('a pair has one key, whoever asks', () => {
  expect(keyOf('anna', 'Bob')).toBe(keyOf('Bob', 'anna'));
});

test('different pairs have different keys', () => {
  const pairs = [
    ['a', 'b'],
    ['a', 'bc'],
    ['ab', 'c'],
    ['A', 'b'],
    ['a.b', 'c'],
    ['a', 'b.c'],
    ['a', 'a'],
  ] as const;
  expect(new Set(pairs.map(([a, b]) => keyOf(a, b))).size).toBe(pairs.length);
});
