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

interface Ending {
  readonly signal?: NodeJS.Signals;
  readonly ending?: 'exit' | 'crash';
}

test.each([
  { how: 'SIGTERM', signal: 'SIGTERM' },
  { how: 'SIGINT', signal: 'SIGINT' },
  { how: 'SIGKILL', signal: 'SIGKILL' },
  { how: 'its own exit', ending: 'exit' },
  { how: 'a crash', ending: 'crash' },
] as const)('no server outlives an owner that ends by $how', async ({ signal, ending }: Ending) => {
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
