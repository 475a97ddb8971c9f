import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { Latency } from './latency.ts';
import { createProgressDisplay } from './progress-display.ts';
import type { Progress } from './worker-protocol.ts';

const steps = [
  { rate: 100, duration: 2000 },
  { rate: 400, duration: 2000 },
];

function second(index: number, sent: number): Progress {
  const [confirm, delivery] = [new Latency(), new Latency()];
  confirm.record(4);
  delivery.record(6);
  const encoded = { confirm: confirm.encode(), delivery: delivery.encode() };
  const tally = { sent, confirmed: sent - 1, delivered: 2 * sent, refused: { OVERLOADED: 1 } };
  return { kind: 'progress', open: 10, second: index, tally: { ...tally, ...encoded } };
}

function screen(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
    return true;
  };
  return { written, stream: { isTTY, columns: 100, rows: 30, write } as never };
}

test('a line for each second in which all workers have spoken', () => {
  const { written, stream } = screen(false);
  using display = createProgressDisplay(stream, 'group');
  display.phase('running for 4 s');
  const heard = display.follow(2, steps);
  heard(0, second(0, 50));
  heard(0, second(1, 60));
  expect(written).toEqual(['running for 4 s\n']);
  heard(1, second(0, 70));
  expect(written.at(-1)).toBe(
    '20 open, sent 120/s, confirmed 118/s, refused 2/s, delivered 240/s\n',
  );
  heard(1, { kind: 'progress', open: 0, second: null, tally: null });
  expect(written).toHaveLength(2);
});

test('on a terminal one panel, drawn anew in place and gone at the end', () => {
  const { written, stream } = screen(true);
  const display = createProgressDisplay(stream, 'group: 10 sockets');
  const heard = display.follow(1, steps);
  heard(0, second(0, 50));
  heard(0, second(2, 1400));
  const last = stripVTControlCharacters(written.at(-1) ?? '');
  expect(written.join('')).toContain('group: 10 sockets');
  expect(last).toMatch(/█+░+ 3 of 4 s/);
  expect(last).toContain('step       2 of 2: 400/s');
  expect(last).toMatch(/confirmed +1,399\/s +p50 +4\.0 ms/);
  // Upwards over what was drawn before.
  expect(written.at(-1)).toContain('\u001b[6A');
  display[Symbol.dispose]();
  expect(stripVTControlCharacters(written.at(-1) ?? '')).not.toContain('group');
});
