import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const repository = new URL('../../../', import.meta.url);
const page = await readFile(new URL('SECURITY.md', repository), 'utf8');
const named = [...page.matchAll(/`([\w./-]+\.ts): ([^`]+)`/g)].map(
  ([, file = '', title = '']) => [file, title] as const,
);

test('the page names tests at all', () => {
  expect(named.length).toBeGreaterThan(25);
});

test.each(named)('%s has the test: %s', async (file, title) => {
  const source = await readFile(new URL(file, repository), 'utf8');
  // Within one line, and of a test: what only a comment says is no proof.
  const line = source.split('\n').find((text) => text.includes(title));
  expect(line?.trim()).toMatch(/^(test|it)\b|^['`]/);
});
