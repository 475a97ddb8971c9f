import { spawn } from 'node:child_process';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';

function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [`${import.meta.dirname}/run-process.fixture.ts`], {
    env: { PATH: process.env.PATH, PORT: '0', TEST_SECRET: 'long enough', ...env },
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    child,
    exit,
    output: () => output,
    ready: () => waitFor(() => /"url":"(http:[^"]+)".*service ready/.exec(output)?.[1]),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains, stops and ends with status 0`, async () => {
    using service = run({});
    const url = await service.ready();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    service.child.kill(signal);
    expect(await service.exit).toBe(0);
    const order = ['worker drained', 'worker stopped', 'service stopped'];
    expect(order.map((text) => service.output().indexOf(text))).toEqual(
      order.map((text) => service.output().indexOf(text)).toSorted((a, b) => a - b),
    );
    expect(service.output()).toContain('service stopped');
  });
}

test('a wrong configuration stops the start, names the variable and hides its value', async () => {
  using service = run({ TEST_SECRET: 'tiny', PORT: 'none' });
  expect(await service.exit).toBe(78);
  expect(service.output()).toContain('TEST_SECRET: is too short');
  expect(service.output()).toContain('PORT: must be a whole number');
  expect(service.output()).not.toContain('tiny');
});

test('a failed start ends with status 1 after stopping what ran', async () => {
  using service = run({ TEST_FAIL: 'true' });
  expect(await service.exit).toBe(1);
  expect(service.output()).toContain('cannot start');
  expect(service.output()).toContain('worker stopped');
});

test('a crash is logged, drained and ends with status 1', async () => {
  using service = run({ TEST_CRASH: 'true' });
  expect(await service.exit).toBe(1);
  expect(service.output()).toContain('a bug');
  expect(service.output()).toContain('worker drained');
});

test('a drain that hangs ends at the deadline with status 1', async () => {
  using service = run({ TEST_STUCK: 'true', STOP_TIMEOUT: '1000' });
  await service.ready();
  service.child.kill('SIGTERM');
  expect(await service.exit).toBe(1);
  expect(service.output()).toContain('stop deadline reached');
});

test('is unready while it drains', async () => {
  using service = run({ TEST_STUCK: 'true', STOP_TIMEOUT: '5000' });
  const url = await service.ready();
  service.child.kill('SIGTERM');
  await waitFor(async () => (await fetch(`${url}/readyz`)).status === 503);
  service.child.kill('SIGTERM');
  expect(await service.exit).toBe(1);
});
