import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

const installTime = 600_000;

/** The file that tells a finished environment from an interrupted one. */
export function environmentMarker(folder: string): string {
  return join(folder, 'installed');
}

/**
 * A virtual environment in `folder` with packages of PyPI, versions pinned (`name==1.2.3`).
 *
 * @param options.addVenvModule is tried when Python comes without its venv module, as Debian's does;
 *   false: it cannot be added here
 * @throws Error with what pip said
 */
export async function createPythonEnvironment(options: {
  readonly python: string;
  readonly folder: string;
  readonly packages: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly addVenvModule: () => Promise<boolean>;
}): Promise<void> {
  const { python, folder, packages, env } = options;
  const limits = { env, timeout: installTime };
  const create = async () => {
    // What an interrupted installation left behind.
    await rm(folder, { recursive: true, force: true });
    await runProgram(python, ['-m', 'venv', folder], limits);
  };
  try {
    await create();
  } catch (error) {
    if (!(await options.addVenvModule())) {
      throw error;
    }
    await create();
  }
  await runProgram(
    join(folder, 'bin', 'python'),
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages],
    limits,
  );
  await writeFile(environmentMarker(folder), '');
}
