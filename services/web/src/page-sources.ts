import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** All that the page is made of: the application, the SDK in it, and the versions of the rest. */
const sources = [
  'services/web/src/app/**/*',
  'services/web/src/client-paths.ts',
  'services/web/src/build-page.ts',
  'services/web/{index.html,package.json,*.ts}',
  'services/web/public/**/*',
  'libs/client/src/**/*.ts',
  'package-lock.json',
];

/**
 * Names the state of the sources. By content, not by time: checkouts, archives and image builds give
 * files any time they like.
 */
export async function digestOfSources(root = repository): Promise<string> {
  const files: string[] = [];
  for await (const entry of glob(sources, { cwd: root, withFileTypes: true })) {
    if (entry.isFile()) {
      files.push(join(entry.parentPath, entry.name));
    }
  }
  const digest = createHash('sha256');
  for (const file of files.toSorted()) {
    const content = await readFile(file);
    digest.update(`${file.slice(root.length)}\n${content.length}\n`).update(content);
  }
  return digest.digest('hex');
}
