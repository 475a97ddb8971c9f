import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const runner = fileURLToPath(new URL('./main.ts', import.meta.url));

async function run(...args: string[]) {
  const child = spawn(process.execPath, [runner, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, progress, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { output, progress, code };
}

/** Those that need no minutes; `npm run faults` runs all. */
const selection = [1, 5, 6, 10, 12, 16, 17, 19, 20];

test('a selection of faults does no harm', { timeout: 900_000 }, async ({ skip, annotate }) => {
  const { output, progress, code } = await run('--only', selection.join(','), '--json');
  await annotate(progress);
  const { faults } = JSON.parse(output) as { faults: Record<string, unknown>[] };
  expect(faults.map(({ id }) => id)).toEqual(selection);
  for (const fault of faults.filter(({ skipped }) => skipped === undefined)) {
    expect(fault, progress).toEqual({
      id: expect.any(Number),
      name: expect.any(String),
      sent: expect.any(Number),
      confirmed: expect.any(Number),
      stored: expect.any(Number),
      lost: 0,
      duplicated: 0,
      reordered: 0,
      converged: true,
      recoveryMs: expect.any(Number),
    });
    expect(fault.confirmed).toBeGreaterThan(0);
  }
  expect(code, progress).toBe(0);
  const missing = faults.flatMap(({ name, skipped }) => (skipped ? [`${name}: ${skipped}`] : []));
  if (missing.length > 0) {
    skip(`all others hold, but this machine does not allow ${missing.join('; ')}`);
  }
});

test('a wrong option is refused before anything is started', async () => {
  const { output, progress, code } = await run('--only', '99');
  expect([output, code]).toEqual(['', 64]);
  expect(progress).toContain('there is no fault "99"');
  expect((await run('--list')).output).toContain('20\tkill -9 standalone');
});
