import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documents, pathOf } from './documents.ts';

describe.each(documents)('$name', (document) => {
  test('is what the sources say', { timeout: 30_000 }, async () => {
    const kept = await readFile(pathOf(document), 'utf8').catch(() => '');
    const generated = await document.generate();
    expect(kept, 'The document is out of date. Run: npm run docs').toBe(generated);
  });

  test('comes out the same every time', { timeout: 30_000 }, async () => {
    expect(await document.generate()).toBe(await document.generate());
  });
});

test('nothing else lies among the generated documents', async () => {
  const [first] = documents;
  const kept = first === undefined ? [] : await readdir(dirname(pathOf(first)));
  expect(kept.toSorted()).toEqual(documents.map(({ name }) => name).toSorted());
});
