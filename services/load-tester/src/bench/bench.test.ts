import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

test('a quick run measures everything and gives the ratios by name', {
  timeout: 600_000,
}, async () => {
  const child = spawn(process.execPath, [main, '--quick', '--rounds', '1', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaints, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect(status, complaints).toBe(0);
  expect(output.trim().split('\n')).toHaveLength(1);
  const { ratios, results, scale } = JSON.parse(output);
  expect(ratios).toEqual({
    deliverCpuLight: expect.any(Number),
    deliverCpuSaturated: expect.any(Number),
    connectCpu: expect.any(Number),
    idleMemory: expect.any(Number),
  });
  for (const { name, ours, plain, floor, ratio } of results) {
    expect(ours, name).toBeGreaterThan(0);
    expect(plain, name).toBeGreaterThan(0);
    expect(floor === null || floor > 0, name).toBe(true);
    expect(ratio, name).toBeCloseTo(ours / plain);
  }
  expect(JSON.parse(output).otherPrograms).toEqual({
    mean: expect.any(Number),
    worst: expect.any(Number),
  });
  // Eight gateways are for a whole run.
  expect(scale).toMatchObject([{ kind: 'ours', gateways: 2, ratio: expect.any(Number) }]);
});

test('what goes wrong is said, and ends it', async () => {
  const child = spawn(process.execPath, [main, '--quick', '--only', 'scale', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The gateways do not start with this.
    env: { ...process.env, MAX_PAYLOAD: 'a lot' },
  });
  const [output, complaints, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect(status).toBe(1);
  expect(output).toBe('');
  expect(complaints).toContain('MAX_PAYLOAD');
  expect(complaints).toContain(
    'The benchmark has failed. Error: The gateway has ended with status 78',
  );
});
