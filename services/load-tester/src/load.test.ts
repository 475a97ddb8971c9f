import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Mischief, playDeployment } from './played-deployment-fixture.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** Milliseconds of a test: a run takes ten seconds, several at once on a busy machine longer. */
vi.setConfig({ testTimeout: 120_000 });

const secret = 'a-secret-of-more-than-thirty-two-bytes';

/** `npm run load`, as a process. */
function start(line: string, env: Record<string, string> = {}) {
  return spawn(
    process.execPath,
    ['services/load-tester/src/main.ts', '--json', ...line.split(' ')],
    { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
}

async function outcome(child: ReturnType<typeof start>) {
  const [output, complaints, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { status, complaints, result: output === '' ? null : JSON.parse(output) };
}

const load = (line: string, env?: Record<string, string>) => outcome(start(line, env));

async function startStandalone() {
  const dataDir = await mkdtemp(join(tmpdir(), 'bambochat-load-'));
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, ['deploy/standalone/src/main.ts', '--json'], {
    cwd: repository,
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: dataDir,
      JWT_SECRET: secret,
      CONNECT_RATE: '100000',
      CONNECT_BURST: '1000000',
      MESSAGE_RATE: '100000',
      MESSAGE_BURST: '1000000',
      AUTH_REQUESTS_PER_ADDRESS: '1000000',
      REQUEST_RATE: '100000',
      REQUEST_BURST: '1000000',
      PASSWORD_SCRYPT_COST: '10',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await Promise.race([
    once(createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }), 'line'),
    once(child, 'exit').then(() => {
      throw new Error('standalone has ended');
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    dataDir,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

describe('a run against standalone', () => {
  let server: Awaited<ReturnType<typeof startStandalone>>;
  let report: string;
  const size = '--sockets 60 --conversations 6 --members 10 --rate 50 --duration 3';
  beforeAll(async () => {
    server = await startStandalone();
    report = join(server.dataDir, 'report.html');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.for([
    ['tokens that it signs', `--secret ${secret}`],
    ['logins', ''],
  ] as const)('with %s finds everything as promised', async ([, option]) => {
    const line = `--target ${server.url} ${size} --processes 2 --server-pids ${server.pid} --report ${report} ${option}`;
    const { status, complaints, result } = await load(line.trim());
    expect(status, complaints).toBe(0);
    expect(result).toMatchObject({
      lost: 0,
      duplicated: 0,
      reordered: 0,
      confirmedNotStored: 0,
      storedTwice: 0,
      holes: 0,
      unanswered: 0,
      skipped: 0,
      refused: {},
      socketsLost: 0,
      stormOver: null,
    });
    const page = await readFile(report, 'utf8');
    expect(page).toContain('Deliveries a second');
    expect(page.match(/<svg /g)).toHaveLength(7);
    expect(page).not.toMatch(/<script|src=|href=|NaN|undefined/);
    expect(result.workers).toBe(2);
    const { sent, confirmed, stored, expected, delivered, servers } = result;
    expect(sent).toBeGreaterThan(75);
    expect([confirmed, stored]).toEqual([sent, sent]);
    expect([expected, delivered]).toEqual([9 * sent, 9 * sent]);
    expect(result.confirm.count).toBe(sent);
    expect(result.delivery.count).toBe(delivered);
    expect(servers.cpu).toBeGreaterThan(0);
    expect(servers.memory).toBeGreaterThan(10_000_000);
  });

  test('over a storm of reconnects all are back, and what was confirmed is stored', async () => {
    const line = `--target ${server.url} --profile reconnect-storm ${size} --secret ${secret}`;
    const { status, complaints, result } = await load(line);
    expect(status, complaints).toBe(0);
    expect(result).toMatchObject({ socketsLost: 0, confirmedNotStored: 0, lost: 0 });
    expect(result.stormOver).toBeGreaterThan(0);
    expect(result.expected).toBeGreaterThan(0);
  });

  test('on a mixed day people type, mark, react, go and read what they missed', async () => {
    const line = `--target ${server.url} --profile mixed-day --sockets 60 --conversations 6 --rate 60 --duration 6 --processes 2 --secret ${secret}`;
    const { status, complaints, result } = await load(line);
    expect(status, complaints).toBe(0);
    expect(result).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, reactionsNotStored: 0 });
    expect(result.day.wrong).toBe(0);
    for (const name of ['typings', 'marks', 'reactions', 'returns'] as const) {
      expect(result.day[name], name).toBeGreaterThan(0);
    }
    // Thirty pairs, six groups and a room of everybody.
    expect(result.conversations).toBe(37);
    expect(result.expected).toBe(result.delivered);
  });

  test('rates one after the other are told apart', async () => {
    const line = `--target ${server.url} --sockets 20 --conversations 2 --steps 40,10 --step-seconds 2 --secret ${secret}`;
    const { status, complaints, result } = await load(line);
    expect(status, complaints).toBe(0);
    const [fast, slow] = result.steps;
    expect([fast.rate, slow.rate]).toEqual([40, 10]);
    expect(fast.sent).toBeGreaterThan(slow.sent);
    expect([fast.confirmed, slow.confirmed]).toEqual([fast.sent, slow.sent]);
    expect(fast.confirm.count + slow.confirm.count).toBe(result.confirmed);
  });

  describe('as a Job of several pods', () => {
    const pods = async () => {
      const port = await freePort();
      const line = `--target ${server.url} --pods 3 --coordinator 127.0.0.1:${port} --listen 127.0.0.1 --processes 1 --secret ${secret}`;
      return (index: number, more: string) =>
        start(`${line} ${more}`, {
          LOAD_TOKEN: 'shared-by-the-pods-of-a-job',
          JOB_COMPLETION_INDEX: String(index),
        });
    };

    test('what one sends all others hear, and the results are one', async () => {
      const pod = await pods();
      // The coordinator comes last.
      const children = [2, 1, 0].map((index) =>
        pod(index, '--profile big-room --sockets 30 --members 30 --rate 20 --duration 3'),
      );
      const [two, one, coordinator] = await Promise.all(children.map(outcome));
      expect(coordinator?.complaints).toContain('waiting for 3 workers');
      expect([two?.status, one?.status, coordinator?.status]).toEqual([0, 0, 0]);
      expect([two?.result, one?.result]).toEqual([null, null]);
      const { workers, sent, confirmed, expected, delivered } = coordinator?.result ?? {};
      expect([workers, confirmed]).toEqual([3, sent]);
      expect([expected, delivered]).toEqual([29 * sent, 29 * sent]);
    });

    test('one that is killed ends the run for all, and is named', async () => {
      const pod = await pods();
      const size = '--sockets 30 --conversations 3 --duration 60';
      const [coordinator, stays, killed] = [pod(0, size), pod(1, size), pod(2, size)];
      coordinator.stderr.on('data', (text: Buffer) => {
        if (text.toString().includes('30 open')) {
          killed.kill('SIGKILL');
        }
      });
      const [verdict, other] = await Promise.all([outcome(coordinator), outcome(stays)]);
      expect(verdict.complaints).toMatch(/Worker \d \(.+, pid \d+\) has gone/);
      expect([verdict.status, verdict.result]).toEqual([1, null]);
      expect(other.status).toBe(2);
      expect(other.complaints).toContain('The coordinator has gone');
    });

    test('one with another token is not let in', async () => {
      const port = await freePort();
      const line = `--target ${server.url} --pods 2 --coordinator 127.0.0.1:${port} --listen 127.0.0.1 --sockets 20`;
      const coordinator = start(`${line} --pod 0`, { LOAD_TOKEN: 'the-token-of-this-job' });
      const { status, complaints } = await load(`${line} --pod 1`, {
        LOAD_TOKEN: 'the-token-of-another-job',
      });
      expect(status).toBe(2);
      expect(complaints).toContain('401');
      coordinator.kill('SIGKILL');
    });
  });

  test('says what the server said when it cannot begin', async () => {
    const { status, complaints, result } = await load(
      `--target ${server.url} ${size} --secret not-the-secret-of-this-deployment-at-all`,
    );
    expect([status, result]).toEqual([2, null]);
    expect(complaints).toContain('AUTH_INVALID');
  });
});

describe.concurrent('a run against a deployment that breaks a promise', () => {
  const size = '--sockets 6 --conversations 1 --members 6 --rate 30 --duration 2';

  test.for<[Mischief, number, object]>([
    ['none', 0, { lost: 0, duplicated: 0, reordered: 0, confirmedNotStored: 0 }],
    ['lose', 1, { lost: 1, duplicated: 0, reordered: 0, confirmedNotStored: 0 }],
    ['double', 1, { lost: 0, duplicated: 1, reordered: 0, confirmedNotStored: 0 }],
    ['swap', 1, { lost: 0, duplicated: 0, reordered: 1, confirmedNotStored: 0 }],
    ['forget', 1, { confirmedNotStored: 1 }],
    ['store twice', 1, { storedTwice: 1, holes: 0 }],
    ['refuse', 0, { lost: 0, refused: { UNAVAILABLE: 1 } }],
    ['stray', 1, { strays: 1, lost: 0 }],
  ])('%s: exit status %i', async ([mischief, status, figures]) => {
    await using deployment = await playDeployment(mischief);
    const run = await load(`--target ${deployment.url} ${size}`);
    expect(run.complaints).toContain('running for 2 s');
    expect(run.result).toMatchObject(figures);
    expect(run.status).toBe(status);
  });

  test.for<[Mischief, object]>([
    ['none', { wrong: 0 }],
    ['forget reactions', { wrong: 0 }],
    ['answer wrongly', { wrong: expect.any(Number) }],
  ])('on a mixed day, %s', async ([mischief, day]) => {
    await using deployment = await playDeployment(mischief);
    const run = await load(
      `--target ${deployment.url} --profile mixed-day --sockets 6 --conversations 1 --members 6 --rate 60 --duration 3`,
    );
    expect(run.result?.day).toMatchObject(day);
    expect(run.result.day.wrong > 0).toBe(mischief === 'answer wrongly');
    expect(run.result.reactionsNotStored > 0).toBe(mischief === 'forget reactions');
    expect(run.status, run.complaints).toBe(mischief === 'none' ? 0 : 1);
  });

  test('a wrong command line ends with 64 and the usage', async () => {
    const run = await load('--target nowhere');
    expect(run.status).toBe(64);
    expect(run.complaints).toMatch(/Not an address: nowhere\n\nUsage: npm run load/);
  });
});
