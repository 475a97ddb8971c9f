import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogSink, openLogFile } from './log-sink.ts';

describe('a log sink', () => {
  it('drops what nobody takes, and counts it', async () => {
    const slow = new PassThrough({ highWaterMark: 1 });
    const sink = createLogSink(slow, { max: 50 });
    for (let count = 0; count < 10; count += 1) {
      sink.write('x'.repeat(30));
    }
    let text = '';
    slow.on('data', (data: Buffer) => {
      text += data.toString();
    });
    await sink.flush();
    const kept = text.split('\n').filter((line) => line.startsWith('x')).length;
    expect(kept).toBeLessThan(10);
    sink.write('again');
    await sink.flush();
    const [report] = text.split('\n').filter((line) => line.includes('dropped'));
    expect(JSON.parse(report ?? '')).toMatchObject({ dropped: 10 - kept });
    expect(text.endsWith('again\n')).toBe(true);
  });

  it('survives that its reader is gone', async () => {
    const gone = new PassThrough();
    const sink = createLogSink(gone);
    gone.destroy(new Error('EPIPE'));
    sink.write('one');
    await sink.flush();
    expect(gone.destroyed).toBe(true);
  });

  it('appends to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bambochat-log-'));
    const path = join(folder, 'stack.log');
    for (const line of ['one', 'two\n']) {
      const sink = await openLogFile(path);
      sink.write(line);
      await sink.flush();
    }
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
    await expect(openLogFile(join(folder, 'no', 'folder'))).rejects.toThrow(/ENOENT/);
    await rm(folder, { recursive: true });
  });
});
