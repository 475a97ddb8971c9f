import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChildProgram } from './child-program.ts';
import { withInstallLock } from './install-lock.ts';

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'bambochat-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('callers are inside the lock one after the other', async () => {
  await using folder = await temporaryFolder();
  let inside = 0;
  let most = 0;
  const turn = () =>
    withInstallLock(folder.path, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all([turn(), turn(), turn()]);
  expect(most).toBe(1);
});

test('the lock is free again when the work fails', async () => {
  await using folder = await temporaryFolder();
  const failing = withInstallLock(folder.path, () => Promise.reject(new Error('no space')));
  await expect(failing).rejects.toThrow('no space');
  expect(await withInstallLock(folder.path, async () => 'in')).toBe('in');
});

test('another process keeps callers out until it ends, even by SIGKILL', async () => {
  await using folder = await temporaryFolder();
  await using holder = runChildProgram('./fixtures/hold-install-lock.ts', [folder.path]);
  expect(await holder.firstLine()).toBe('locked');
  await expect(withInstallLock(folder.path, async () => 'in', 300)).rejects.toThrow(
    'another installation to end',
  );
  holder.child.kill('SIGKILL');
  expect(await withInstallLock(folder.path, async () => 'in', 20_000)).toBe('in');
});
