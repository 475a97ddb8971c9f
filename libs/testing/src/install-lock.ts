import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { waitFor } from './wait-for.ts';

/**
 * Runs `work` while no other process that uses the same cache folder is inside this function.
 *
 * The lock is an exclusive SQLite transaction, which is a lock of the operating system on the file:
 * it goes away with the process that holds it, so there is no stale lock to detect or to steal.
 *
 * @throws Error when the lock is not free within `timeout` ms, and what `work` throws.
 */
export async function withInstallLock<T>(
  cacheFolder: string,
  work: () => Promise<T>,
  timeout = 900_000,
): Promise<T> {
  await mkdir(cacheFolder, { recursive: true });
  const file = join(cacheFolder, 'install.lock');
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    await waitFor(
      () => {
        database.exec('BEGIN EXCLUSIVE');
        return true;
      },
      { timeout, interval: 200, describe: `another installation to end (lock ${file})` },
    );
    return await work();
  } finally {
    database.close();
  }
}
