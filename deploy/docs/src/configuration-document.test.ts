import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flag, integer } from '@bambochat/runtime';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configurationDocument, processes } from './configuration-document.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const sample = {
  one: z.object({
    SIZE: integer(1, 5000).prefault('16').describe('How large.'),
    LEVEL: z.enum(['low', 'high']).default('low').describe('How loud.'),
    ADDRESS: z.string().describe('Where.'),
  }),
  two: z.object({
    SIZE: integer(1, 5000).prefault('16').describe('How large.'),
    LOUD: flag().optional().describe('Whether a|b.'),
  }),
};

describe('the configuration reference', () => {
  test('says of each variable its default, its form, its meaning and who reads it', () => {
    const text = configurationDocument(sample);
    expect(text).toContain('| `SIZE` | `16` | whole number, 1 to 5,000 | How large. |');
    expect(text).toContain('| `LEVEL` | `low` | `low`, `high` | How loud. |');
    expect(text).toContain('| `ADDRESS` | required | text | Where. |');
    expect(text).toContain('| `LOUD` | none | `true` or `false` | Whether a\\|b. |');
    expect(text.indexOf('## Read by all')).toBeLessThan(text.indexOf('`SIZE`'));
    expect(text.indexOf('## Read by one')).toBeLessThan(text.indexOf('`LEVEL`'));
  });

  test('cannot be made of a variable that is not described, or in two ways', () => {
    const undescribed = { one: z.object({ SIZE: integer(1, 2) }) };
    expect(() => configurationDocument(undescribed)).toThrow(/SIZE has no description/);
    const other = z.object({ SIZE: integer(1, 9).prefault('1').describe('How large.') });
    expect(() => configurationDocument({ ...sample, other })).toThrow(/SIZE means one thing/);
  });

  test('has every process that reads a configuration', async () => {
    const readers: string[] = [];
    for await (const file of glob('{services,deploy}/*/src/main.ts', { cwd: root })) {
      if ((await readFile(join(root, file), 'utf8')).includes('runProcess(')) {
        readers.push(dirname(dirname(file)).split('/').at(-1) ?? '');
      }
    }
    expect(Object.keys(processes).toSorted()).toEqual(readers.toSorted());
  });

  test('has every variable that the code reads', () => {
    const text = configurationDocument(processes);
    for (const { shape } of Object.values(processes)) {
      for (const name of Object.keys(shape)) {
        expect(text).toContain(`| \`${name}\` |`);
      }
    }
  });
});
