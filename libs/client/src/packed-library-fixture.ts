import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const builder = fileURLToPath(new URL('build-package.ts', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** An empty project that has the library from its tarball, and nothing else of ours. */
export interface PackedProject extends AsyncDisposable {
  readonly folder: string;
  /** Where the library lies. */
  readonly library: string;
  /** What the build printed. */
  readonly buildOutput: string;
}

export async function installPacked(): Promise<PackedProject> {
  const folder = await mkdtemp(join(tmpdir(), 'bambochat-packed-'));
  const dist = join(folder, 'dist');
  const { stdout: buildOutput } = await run(process.execPath, [builder, dist]);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: dist,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const library = join(folder, 'node_modules', '@bambochat', 'client');
  await mkdir(library, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', library]);
  await rm(dist, { recursive: true });
  // Its dependencies as npm would have put them there, without asking a registry.
  for (const name of ['socket.io-client', 'uuidv7']) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(modules, name), link);
  }
  await writeFile(join(folder, 'package.json'), '{"name":"empty","type":"module"}');
  return {
    folder,
    library,
    buildOutput,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
