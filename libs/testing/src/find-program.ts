import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

// Debian puts servers where an ordinary user's PATH does not look.
const systemFolders = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'];

/** The path of a program in `folders`, on PATH or in the system's usual places, else undefined. */
export async function findProgram(
  name: string,
  env: NodeJS.ProcessEnv,
  folders: readonly string[] = [],
): Promise<string | undefined> {
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...path, ...systemFolders]) {
    const file = join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
