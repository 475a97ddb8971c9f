import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  labelledLine,
  levelOf,
  parseServiceLine,
  readLines,
  readyUrl,
  thresholdOf,
} from './log-lines.ts';

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) {
    stream.write(chunk);
  }
  stream.end();
  await new Promise((resolve) => stream.once('close', resolve));
  return lines;
}

describe('reading lines', () => {
  it('puts pieces together, in the middle of a character too', async () => {
    const umlaut = Buffer.from('ü');
    expect(
      await linesOf('on', 'e\ntw', umlaut.subarray(0, 1), umlaut.subarray(1), '\n\nlast'),
    ).toEqual(['one', 'twü', 'last']);
  });

  it('cuts a line that does not end', async () => {
    const [long, next] = await linesOf('x'.repeat(50_000), 'x'.repeat(50_000), 'x\nnext\n');
    expect(long).toHaveLength(64 * 1024 + 1);
    expect(next).toBe('next');
  });
});

describe('lines of a service', () => {
  const ready = '{"level":30,"service":"x","url":"http://127.0.0.1:1","msg":"service ready"}';

  it('tell when it is ready', () => {
    expect(readyUrl(parseServiceLine(ready))).toBe('http://127.0.0.1:1');
    expect(readyUrl(parseServiceLine('{"level":30,"msg":"service ready"}'))).toBeNull();
    expect(readyUrl(parseServiceLine('{"level":30,"url":"x","msg":"other"}'))).toBeNull();
    expect(readyUrl(parseServiceLine('service ready'))).toBeNull();
    expect(parseServiceLine('{"level":30,')).toBeNull();
  });

  it('get the name of the process', () => {
    expect(JSON.parse(labelledLine('gateway-1', ready))).toEqual({
      instance: 'gateway-1',
      ...JSON.parse(ready),
    });
    expect(JSON.parse(labelledLine('gateway-1', 'Error: "x"'))).toMatchObject({
      instance: 'gateway-1',
      level: 40,
      output: 'Error: "x"',
    });
  });

  it('have a level', () => {
    expect(levelOf(ready)).toBe(30);
    expect(levelOf('a crash')).toBe(40);
    expect(thresholdOf('error')).toBe(50);
    expect(thresholdOf(undefined)).toBe(30);
    expect(thresholdOf('silent')).toBe(Number.POSITIVE_INFINITY);
  });
});
