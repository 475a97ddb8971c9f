import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'bambochat-standalone-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function run(options: { args?: string[]; env?: Record<string, string> }) {
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main, ...(options.args ?? [])], {
    env: { PATH: process.env.PATH, PORT: '0', ...options.env },
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    output.out += data;
  });
  child.stderr.on('data', (data) => {
    output.err += data;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, output, exit, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

test('prints one line that says where it is, and nothing else, on standard output', async () => {
  using folder = temporaryFolder();
  using server = run({ env: { DATA_DIR: join(folder.path, 'data') } });
  const url = await waitFor(() => /^BamboChat ready at (\S+)\n$/.exec(server.output.out)?.[1]);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  server.child.kill('SIGTERM');
  expect(await server.exit).toBe(0);
  for (const line of server.output.err.trim().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ service: 'bambochat' });
  }
});

test('with --json prints one object', async () => {
  using folder = temporaryFolder();
  using server = run({ args: ['--json'], env: { DATA_DIR: folder.path } });
  await waitFor(() => server.output.out.endsWith('\n'));
  expect(JSON.parse(server.output.out)).toEqual({
    ready: true,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    pid: server.child.pid,
  });
});

test('keeps its secret over a restart, readable by its owner alone', async () => {
  using folder = temporaryFolder();
  const secrets: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    using server = run({ env: { DATA_DIR: folder.path } });
    await waitFor(() => server.output.out.includes('ready'));
    const path = join(folder.path, 'jwt-secret');
    secrets.push(readFileSync(path, 'utf8'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    server.child.kill('SIGKILL');
    await server.exit;
  }
  expect(secrets[0]).toBe(secrets[1]);
});

test('serves the web client beside the interface, unless it is told not to', async () => {
  using folder = temporaryFolder();
  using server = run({ env: { DATA_DIR: join(folder.path, 'with') } });
  const url = await waitFor(() => /^BamboChat ready at (\S+)\n$/.exec(server.output.out)?.[1]);
  const page = await fetch(`${url}/`);
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  const [script] = /\/assets\/[\w-]+\.js/.exec(await page.text()) ?? [];
  expect((await fetch(`${url}${script}`)).headers.get('cache-control')).toContain('immutable');
  const nothing = await fetch(`${url}/api/nothing`);
  expect(await nothing.json()).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  expect(nothing.headers.get('content-security-policy')).not.toContain('script-src');
  expect((await fetch(`${url}/docs`)).status).toBe(200);

  using without = run({ env: { DATA_DIR: join(folder.path, 'without'), WEB_CLIENT: 'false' } });
  const other = await waitFor(() => /^BamboChat ready at (\S+)\n$/.exec(without.output.out)?.[1]);
  expect((await fetch(`${other}/`)).status).toBe(404);
});

test('looks after presence from the start, in one process with its gateway', async () => {
  using folder = temporaryFolder();
  using server = run({ env: { DATA_DIR: folder.path, PRESENCE_LEASE: '1000' } });
  const url = await waitFor(() => /^BamboChat ready at (\S+)\n$/.exec(server.output.out)?.[1]);
  await waitFor(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const value = (name: string) => metrics.split('\n').find((line) => line.startsWith(`${name} `));
    return (
      // Once the epoch is settled the gateway is there with its lease.
      value('bambochat_presence_recoveries_total{outcome="done"}')?.endsWith(' 1') &&
      value('bambochat_presence_gateways')?.endsWith(' 1')
    );
  });
  server.child.kill('SIGTERM');
  expect(await server.exit).toBe(0);
  expect(server.output.err).toContain('presence recovered');
});

test('refuses a data folder that another process uses', async () => {
  using folder = temporaryFolder();
  const env = { DATA_DIR: folder.path };
  using first = run({ env });
  await waitFor(() => first.output.out.includes('ready'));
  using second = run({ env });
  expect(await second.exit).toBe(1);
  expect(second.output.err).toContain(folder.path);
  expect(second.output.out).toBe('');
});

test('refuses a weak secret, a wrong variable and an unknown option, and says so', async () => {
  using folder = temporaryFolder();
  const env = { DATA_DIR: folder.path };
  using short = run({ env: { ...env, PRESENCE_LEASE: '10' } });
  expect(await short.exit).toBe(78);
  expect(short.output.err).toContain('PRESENCE_LEASE: must be at least 1000');
  using weak = run({ env: { ...env, JWT_SECRET: 'hunter2' } });
  expect(await weak.exit).toBe(78);
  expect(weak.output.err).toContain('JWT_SECRET');
  expect(weak.output.err).not.toContain('hunter2');
  using wrong = run({ env: { ...env, MESSAGE_RATE: 'fast' } });
  expect(await wrong.exit).toBe(78);
  expect(wrong.output.err).toContain('MESSAGE_RATE: must be a number');
  using unknown = run({ args: ['--yaml'], env });
  expect(await unknown.exit).toBe(64);
  expect(unknown.output.err).toContain('Usage');
});
