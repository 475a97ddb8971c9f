import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@bambochat/testing';
import { io } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import type { Listing, StackListing } from './ready-line.ts';
import { isRunning } from './service-process-fixture.ts';

/** A back end may have to be installed first. */
const START_TIMEOUT = 240_000;

interface Run extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
}

/** The program as a user runs it. */
function runStack(args: string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('main.ts', import.meta.url)), ...args],
    {
      env: { ...process.env, PASSWORD_SCRYPT_COST: '14', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-256 * 1024);
    });
  }
  const closed = once(child, 'close');
  return {
    child,
    output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill('SIGKILL');
      }
      await closed;
    },
  };
}

async function readyListing({ child, output }: Run): Promise<StackListing & { ready: boolean }> {
  await waitFor(() => output.stdout.includes('\n') || child.exitCode !== null, {
    timeout: START_TIMEOUT,
    interval: 50,
    describe: 'the ready line',
  });
  expect(output.stdout, output.stderr).toContain('\n');
  return JSON.parse(output.stdout) as StackListing & { ready: boolean };
}

function pidsOf(stack: StackListing): number[] {
  const listings: Listing[] = [
    ...stack.gateways,
    ...stack.messageServices,
    ...stack.historyServices,
    ...stack.directoryServices,
    ...stack.presenceServices,
    ...stack.webServices,
    ...Object.values(stack.backends),
  ];
  return listings.flatMap(({ pid }) => (pid === null ? [] : [pid]));
}

async function accessToken(url: string, id: string): Promise<string> {
  const post = async (path: string, body: object) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.ok, await answer.clone().text()).toBe(true);
    return (await answer.json()) as { accessToken: string };
  };
  const password = 'correct horse battery staple';
  await post('/api/auth/register', { id, email: `${id}@example.org`, password });
  return (await post('/api/auth/login', { id, password })).accessToken;
}

async function connects(url: string, token: string, transport: string): Promise<void> {
  const socket = io(url, { transports: [transport], auth: { token }, reconnection: false });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
  } finally {
    socket.disconnect();
  }
}

describe('the stack', () => {
  it(
    'starts, serves through its edge, goes on without a gateway, and leaves nothing behind',
    async () => {
      await using run = runStack(['--port', '0', '--json']);
      const stack = await readyListing(run);
      expect(run.output.stdout.match(/\n/g)).toHaveLength(1);
      expect(stack.ready).toBe(true);
      expect(stack.gateways).toHaveLength(2);
      expect(stack.messageServices).toHaveLength(2);
      expect(stack.historyServices).toHaveLength(1);
      expect(stack.directoryServices).toHaveLength(1);
      expect(stack.presenceServices).toHaveLength(2);
      expect(stack.webServices).toHaveLength(1);
      const pids = pidsOf(stack);
      expect(pids.length).toBeGreaterThanOrEqual(9);
      expect(pids.filter((pid) => !isRunning(pid))).toEqual([]);

      const { url } = stack.edge;
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect((await fetch(`${url}/messages`)).status).toBe(401);
      expect((await fetch(`${url}/metrics`)).status).toBe(404);
      expect((await fetch(`${url}/docs`)).headers.get('content-type')).toMatch(/^text\/html/);
      const page = await fetch(`${url}/`);
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
      const [asset] = /\/assets\/[\w-]+\.js/.exec(await page.text()) ?? [];
      expect((await fetch(`${url}${asset}`)).headers.get('cache-control')).toContain('immutable');
      const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining(['/messages', '/api/auth/login', '/api/conversations']),
      );
      const readiness = (await (await fetch(`${url}/readyz`)).json()) as { checks: object };
      expect(readiness.checks).toMatchObject({ 'presence-service': 'ok' });
      for (const { url: service } of [...stack.gateways, ...stack.historyServices]) {
        expect((await fetch(`${service}/readyz`)).status).toBe(200);
      }
      for (const { url: service } of stack.presenceServices) {
        expect(await (await fetch(`${service}/readyz`)).json()).toEqual({
          ready: true,
          checks: { mongodb: 'ok', redis: 'ok', nats: 'ok' },
          draining: false,
        });
      }

      const token = await accessToken(url, 'ada');
      await Promise.all(
        ['polling', 'polling', 'websocket', 'websocket'].map((transport) =>
          connects(url, token, transport),
        ),
      );

      const [gateway] = stack.gateways;
      process.kill(gateway?.pid ?? 0, 'SIGKILL');
      await waitFor(() => run.output.stderr.includes('service died'));
      const death = run.output.stderr.split('\n').find((line) => line.includes('service died'));
      expect(JSON.parse(death ?? '')).toMatchObject({
        instance: 'socket-gateway-1',
        signal: 'SIGKILL',
      });
      for (const transport of ['polling', 'websocket', 'polling', 'websocket']) {
        await connects(url, token, transport);
      }

      run.child.kill('SIGINT');
      await once(run.child, 'close');
      expect(run.child.exitCode, run.output.stderr).toBe(0);
      await waitFor(() => pids.every((pid) => !isRunning(pid)));
      await expect(fetch(`${url}/healthz`)).rejects.toThrow();
      expect(run.output.stderr).not.toContain(token);
    },
    START_TIMEOUT + 60_000,
  );

  it(
    'that cannot start says why, and leaves nothing behind',
    async () => {
      await using run = runStack(['--port', '0'], { JWT_SECRET: 'too short' });
      await once(run.child, 'close');
      expect(run.child.exitCode).toBe(1);
      expect(run.output.stderr).toMatch(/The stack does not start: .*JWT_SECRET/s);
      expect(run.output.stderr).not.toContain('too short');
      // For people, the choice of the back ends is on standard output.
      expect(run.output.stdout).toMatch(/^redis: /m);
      expect(run.output.stdout).not.toContain('ready');
    },
    START_TIMEOUT,
  );

  it('refuses a wrong command line with status 64', async () => {
    await using run = runStack(['--gateways', 'none']);
    await once(run.child, 'close');
    expect(run.child.exitCode).toBe(64);
    expect(run.output.stderr).toMatch(/^--gateways must be a whole number.*Usage:/s);
    expect(run.output.stdout).toBe('');
  });
});
