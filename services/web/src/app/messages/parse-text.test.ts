import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mentions, parseText } from './parse-text.ts';

const nobody = () => false;
const links = (text: string) =>
  parseText(text, nobody).flatMap((part) => (part.type === 'link' ? [part.text] : []));
const mentioned = (text: string, ...members: string[]) =>
  parseText(text, (id) => members.includes(id)).flatMap((part) =>
    part.type === 'mention' ? [part.userId] : [],
  );

describe('links', () => {
  test('are http and https addresses, and nothing else', () => {
    expect(links('see https://a.example/b?c=d#e and http://f.example')).toEqual([
      'https://a.example/b?c=d#e',
      'http://f.example',
    ]);
    for (const text of [
      'javascript:alert(1)',
      'data:text/html,x',
      'ftp://a.example',
      'www.a.example',
      'xhttps://a.example',
      'https://',
    ]) {
      expect(links(text)).toEqual([]);
    }
  });

  test('do not take the end of the sentence with them', () => {
    expect(links('Is it https://a.example/b?')).toEqual(['https://a.example/b']);
    expect(links('(https://a.example/b), https://c.example/d…')).toEqual([
      'https://a.example/b',
      'https://c.example/d',
    ]);
    expect(links('https://a.example/b_(c)')).toEqual(['https://a.example/b_(c)']);
    expect(links('[https://a.example/b].')).toEqual(['https://a.example/b']);
  });

  test('what looks like markup stays text', () => {
    const text = '<a href="https://a.example">x</a><script>alert(1)</script>';
    expect(links(text)).toEqual(['https://a.example']);
    expect(
      parseText(text, nobody)
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
  });

  test('an address leads where its text says', () => {
    const [part] = parseText('https://a.example\\@b.example', nobody);
    expect(part).toMatchObject({ type: 'link', url: 'https://a.example/@b.example' });
  });
});

describe('mentions', () => {
  test('are members, as words of their own', () => {
    expect(mentioned('@ada, @ben: hello @nobody', 'ada', 'ben')).toEqual(['ada', 'ben']);
    expect(mentioned('ada@ada.example x@ada @@ada /@ada @adamant', 'ada')).toEqual([]);
    expect(mentioned('(@ada) «@ada» 你好 @ada', 'ada')).toEqual(['ada', 'ada', 'ada']);
  });

  test('ids with dots are told from the end of a sentence', () => {
    expect(mentioned('Ask @ada.', 'ada')).toEqual(['ada']);
    expect(mentioned('Ask @ada.b.', 'ada.b', 'ada')).toEqual(['ada.b']);
    expect(mentioned('Ask @ada.', 'ada.', 'ada')).toEqual(['ada.']);
  });

  test('ids are told apart by case', () => {
    expect(mentions('@Ada', 'ada')).toBe(false);
    expect(mentions('hello @ada', 'ada')).toBe(true);
  });
});

test('joined again, the parts are the text', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('@ada', '@', 'https://a.example/(b)', ' ', '.', ')', '\n'),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('');
      const parts = parseText(text, (id) => id === 'ada');
      expect(parts.map((part) => part.text).join('')).toBe(text);
    }),
  );
});

test('a text made to be slow is not', () => {
  const start = performance.now();
  parseText(`https://${'('.repeat(2000)}${')'.repeat(1990)}`, nobody);
  parseText(`@${'.'.repeat(3999)}`, nobody);
  // Generous: quadratic at worst is milliseconds, exponential would not end.
  expect(performance.now() - start).toBeLessThan(2000);
});
