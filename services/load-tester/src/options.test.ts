import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { readOptions as readBenchOptions } from './bench/options.ts';
import { readOptions } from './options.ts';

const read = (line: string, env = {}) =>
  readOptions(
    line.split(' ').filter((word) => word !== ''),
    env,
  );

describe('npm run load', () => {
  test('a target is enough', () => {
    expect(read('--target http://one:3000/,https://two', { JWT_SECRET: 'x' })).toMatchObject({
      targets: ['http://one:3000', 'https://two'],
      rest: 'http://one:3000',
      profile: { name: 'group', storm: false },
      sockets: 1000,
      processes: 1,
      secret: 'x',
      serverPids: [],
    });
  });

  test('options come before what the profile says, and sockets make processes', () => {
    const options = read('--target http://a --profile huge-room --sockets 12000 --rate 0.5');
    expect(options).toMatchObject({ sockets: 12_000, members: 10_000, rate: 0.5 });
    expect(options?.processes).toBe(Math.min(3, availableParallelism()));
  });

  test('asks for help', () => {
    expect(read('--help')).toBeNull();
  });

  test.for([
    ['', '--target is missing|Not an address'],
    ['--target nowhere', 'Not an address: nowhere'],
    ['--target http://a --profile busy', 'no profile busy'],
    ['--target http://a --sockets many', '--sockets must be a number'],
    ['--target http://a --sockets 5', '--members 10 need as many'],
    ['--target http://a --profile direct --sockets 20 --conversations 11', 'twice as many'],
    ['--target http://a --server-pids 1,x', 'process ids'],
    ['--target http://a --speed 5', 'speed'],
  ] as const)('%s is refused', ([line, message]) => {
    expect(() => read(line)).toThrow(new RegExp(message));
  });
});

describe('npm run bench', () => {
  test('everything, three rounds', () => {
    expect(readBenchOptions([])).toMatchObject({
      only: ['deliver', 'connect', 'memory', 'scale'],
      rounds: 3,
      quick: false,
    });
  });

  test.for([
    ['--only speed', 'not speed'],
    ['--rounds 0', '--rounds'],
    ['--fast', 'fast'],
  ] as const)('%s is refused', ([line, message]) => {
    expect(() => readBenchOptions(line.split(' '))).toThrow(message);
  });
});
