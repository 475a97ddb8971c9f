import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
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
      servers: [],
      steps: [{ rate: 200, duration: 60_000 }],
      workers: 1,
      pod: 0,
    });
  });

  test('options come before what the profile says, and sockets make processes', () => {
    const options = read('--target http://a --profile huge-room --sockets 12000 --rate 0.5');
    expect(options).toMatchObject({ sockets: 12_000, members: 10_000, steps: [{ rate: 0.5 }] });
    expect(options?.processes).toBe(Math.min(3, availableParallelism()));
  });

  test('steps are rates one after the other', () => {
    expect(read('--target http://a --steps 250,4000,250 --step-seconds 5')?.steps).toEqual([
      { rate: 250, duration: 5000 },
      { rate: 4000, duration: 5000 },
      { rate: 250, duration: 5000 },
    ]);
  });

  test('one of several pods knows its place from Kubernetes', () => {
    const env = { JOB_COMPLETION_INDEX: '2', LOAD_TOKEN: 'sixteen bytes or more' };
    const line =
      '--target http://a --sockets 20000 --pods 4 --processes 2 --coordinator load-0.load:7000';
    expect(read(line, env)).toMatchObject({
      pod: 2,
      workers: 8,
      processes: 2,
      meeting: {
        coordinator: 'load-0.load:7000',
        host: '0.0.0.0',
        port: 7000,
        token: env.LOAD_TOKEN,
      },
    });
    for (const [wrong, message] of [
      [{ ...env, JOB_COMPLETION_INDEX: '4' }, '--pod'],
      [{ ...env, JOB_COMPLETION_INDEX: undefined }, '--pod'],
      [{ ...env, LOAD_TOKEN: 'short' }, 'LOAD_TOKEN'],
    ] as const) {
      expect(() => read(line, wrong)).toThrow(message);
    }
    expect(() => read('--target http://a --pods 2 --pod 1', env)).toThrow('--coordinator');
  });

  test('what the stack printed says where everything is', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'bambochat-listing-'));
    const file = join(folder.path, 'stack.json');
    const at = (url: string, pid: number | null) => ({ url, pid });
    const line = {
      ready: true,
      edge: { url: 'http://edge' },
      gateways: [at('http://g1', 11), at('http://g2', 12)],
      messageServices: [at('http://m1', 13)],
      backends: { redis: at('redis://r', 14), mongodb: at('mongodb://elsewhere', null) },
    };
    await writeFile(file, `> bambochat@0.1.0 stack\n\n${JSON.stringify(line)}\n`);
    const options = read(`--listing ${file}`);
    expect(options).toMatchObject({ targets: ['http://g1', 'http://g2'], rest: 'http://edge' });
    expect(options?.servers.map(({ name }) => name)).toEqual([
      'gateway-1',
      'gateway-2',
      'message-service-1',
      'redis',
    ]);
    await writeFile(file, '{"ready":true,"url":"http://one","pid":5}');
    expect(read(`--listing ${file}`)).toMatchObject({
      targets: ['http://one'],
      rest: 'http://one',
    });
    await writeFile(file, 'starting');
    expect(() => read(`--listing ${file}`)).toThrow('holds no line');
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
    ['--target http://a --steps 5,fast', '--steps takes rates'],
    ['--target http://a --steps 5 --rate 3', 'takes the place of'],
    ['--target http://a --source-addresses 10.0.0.300', 'no IP address'],
    ['--target http://a --sockets 20 --profile direct --conversations 5 --processes 30', 'too few'],
    ['--listing /nowhere', '--listing /nowhere'],
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
