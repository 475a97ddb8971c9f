import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChildProgram } from './child-program.ts';
import { waitFor } from './wait-for.ts';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['SIGTERM', undefined],
  ['SIGINT', undefined],
  ['SIGKILL', undefined],
  [undefined, 'exit'],
  [undefined, 'crash'],
] as const)('no server outlives its owner: %s %s', async (signal, ending) => {
  const temporary = await mkdtemp(join(tmpdir(), 'bambochat-test-'));
  try {
    // The temporary data folders of the owner go below a folder that this test can look into.
    await using owner = runChildProgram('./fixtures/hold-backends.ts', ending ? [ending] : [], {
      ...process.env,
      TMPDIR: temporary,
    });
    const { pids }: { pids: (number | null)[] } = JSON.parse(await owner.firstLine());
    if (signal) {
      owner.child.kill(signal);
    }
    await owner.ended();
    await waitFor(() => pids.every((pid) => pid === null || !isAlive(pid)), {
      describe: `the servers ${pids.join(', ')} to be gone`,
    });
    await waitFor(async () => (await readdir(temporary)).length === 0, {
      describe: 'the temporary data folders to be gone',
    });
    expect(existsSync(temporary)).toBe(true);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});
