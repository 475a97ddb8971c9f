import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where each package leaves the results of its tests, below its folder. */
export const resultFile = join('.test-results', 'results.json');

/** The folders of all packages, relative to the root of the repository, in order. */
export async function workspaceFolders(root: string): Promise<string[]> {
  const manifest: { workspaces: string[] } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const folders: string[] = [];
  for await (const folder of glob(manifest.workspaces, { cwd: root })) {
    if (existsSync(join(root, folder, 'package.json'))) {
      folders.push(folder);
    }
  }
  return folders.toSorted();
}

/** Whether a package has tests to run. */
export async function hasTests(folder: string): Promise<boolean> {
  for await (const _ of glob('src/**/*.test.ts', { cwd: folder })) {
    return true;
  }
  return false;
}
