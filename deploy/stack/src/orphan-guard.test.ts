import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@bambochat/testing';
import { expect, it } from 'vitest';
import { isRunning } from './service-process-fixture.ts';

it('lets no service outlive a stack that was killed', async () => {
  const stack = spawn(
    process.execPath,
    [fileURLToPath(new URL('guarded-service.fixture.ts', import.meta.url))],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(stack.stdout, 'data')) as [Buffer];
  const { ended, alive } = JSON.parse(line.toString()) as { ended: number; alive: number };
  expect(isRunning(ended)).toBe(false);
  expect(isRunning(alive)).toBe(true);
  stack.kill('SIGKILL');
  await waitFor(() => !isRunning(alive));
});
