import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

const known = [1, 2, 5, 12];

test('all faults and a table, unless something else is said', () => {
  expect(readOptions([], known)).toEqual({ action: 'run', ids: known, output: 'table' });
  expect(readOptions(['--only', '12, 5,5', '--json'], known)).toEqual({
    action: 'run',
    ids: [5, 12],
    output: 'json',
  });
  expect(readOptions(['--list', '--markdown'], known)).toMatchObject({
    action: 'list',
    output: 'markdown',
  });
  expect(readOptions(['--help'], known).action).toBe('help');
});

test.each([
  [['--only', '3'], 'there is no fault "3"'],
  [['--only', ''], 'there is no fault ""'],
  [['--only', '1,x'], 'there is no fault "x"'],
  [['--only', '1e0'], 'there is no fault "1e0"'],
  [['--json', '--markdown'], 'exclude each other'],
  [['--fast'], '--fast'],
  [['12'], '12'],
])('%j is refused', (args, message) => {
  expect(() => readOptions(args, known)).toThrow(UsageError);
  expect(() => readOptions(args, known)).toThrow(message);
});
