import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@bambochat/runtime';

/** Where `npm run build -w @bambochat/web` puts the page. */
export const builtPage = fileURLToPath(new URL('../dist', import.meta.url));

/** @throws ConfigError when no page is there; it names the command that builds it. */
export async function requirePage(folder: string): Promise<void> {
  try {
    await readFile(join(folder, 'index.html'));
  } catch (error) {
    throw new ConfigError(
      `There is no web client in ${folder}. Build it with: npm run build -w @bambochat/web`,
      { cause: error },
    );
  }
}
