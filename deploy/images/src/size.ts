import { spawn } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';

/** Bytes of all files below a folder. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await sizeOf(path) : (await lstat(path)).size;
  }
  return bytes;
}

/** Bytes of a folder as a layer: tar, gzip. */
export async function compressedSize(folder: string): Promise<number> {
  const tar = spawn('tar', ['-cC', folder, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  for await (const chunk of tar.stdout.pipe(createGzip())) {
    bytes += (chunk as Buffer).length;
  }
  return bytes;
}
