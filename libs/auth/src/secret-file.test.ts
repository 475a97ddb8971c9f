import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrCreateSecret } from './secret-file.ts';

describe('secret file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secret-file-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is created once, for its owner only, and read afterwards', async () => {
    const path = join(folder, 'jwt-secret');
    const secret = await loadOrCreateSecret(path);
    expect(secret).toMatch(/^[\w-]{64}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateSecret(path)).toBe(secret);
    expect(await readdir(folder)).toEqual(['jwt-secret']);
  });

  it('gives one secret to all who start at once', async () => {
    const path = join(folder, 'jwt-secret');
    const secrets = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateSecret(path)));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(folder)).toEqual(['jwt-secret']);
  });

  it('is refused when others may read it, and left as it is', async () => {
    const path = join(folder, 'jwt-secret');
    await loadOrCreateSecret(path);
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(path, mode);
      await expect(loadOrCreateSecret(path)).rejects.toThrow(/open to other users/);
      expect((await stat(path)).mode & 0o777).toBe(mode);
    }
  });

  it('is refused when it holds no secret', async () => {
    const path = join(folder, 'jwt-secret');
    await writeFile(path, 'short\n', { mode: 0o600 });
    await expect(loadOrCreateSecret(path)).rejects.toThrow(/at least 32 bytes/);
  });

  it('fails when the folder is missing', async () => {
    await expect(loadOrCreateSecret(join(folder, 'absent', 'x'))).rejects.toThrow(/ENOENT/);
  });
});
