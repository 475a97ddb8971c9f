import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOfSources } from './page-sources.ts';

test('names what the page is made of: by content, not by time', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bambochat-sources-'));
  try {
    const write = async (path: string, text: string) => {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text);
    };
    const seen = new Set<string>();
    const isNew = async () => {
      const before = seen.size;
      seen.add(await digestOfSources(root));
      return seen.size > before;
    };
    await write('services/web/src/app/app.tsx', 'one');
    expect(await isNew()).toBe(true);
    await utimes(join(root, 'services/web/src/app/app.tsx'), 1, 1);
    expect(await isNew()).toBe(false);
    await write('services/web/src/app/app.tsx', 'two');
    expect(await isNew()).toBe(true);
    for (const path of [
      'services/web/src/app/styles/new.css',
      'services/web/index.html',
      'services/web/vite.config.ts',
      'services/web/public/favicon.svg',
      'libs/client/src/index.ts',
      'package-lock.json',
    ]) {
      await write(path, 'new');
      expect(await isNew(), path).toBe(true);
    }
    await rm(join(root, 'services/web/src/app/styles/new.css'));
    expect(await isNew()).toBe(true);
    // Nothing that ends in the page.
    await write('services/web/src/main.ts', 'new');
    await write('services/web/dist/index.html', 'new');
    await write('README.md', 'new');
    expect(await digestOfSources(root)).toBe([...seen].at(-1));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
