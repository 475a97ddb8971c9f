import type { Readable } from 'node:stream';
import pino from 'pino';

const LINE_MAX = 64 * 1024;

/**
 * Calls `onLine` for every line of a stream, the last one without its end included. A line that is
 * longer than 64 KiB comes cut off.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  let cut = false;
  const take = (piece: string) => {
    if (!cut) {
      rest += piece;
      cut = rest.length > LINE_MAX;
      rest = cut ? `${rest.slice(0, LINE_MAX)}…` : rest;
    }
  };
  const emit = () => {
    const line = rest;
    rest = '';
    cut = false;
    if (line.trim() !== '') {
      onLine(line);
    }
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n');
    take(first);
    for (const piece of others) {
      emit();
      take(piece);
    }
  });
  stream.once('close', emit);
}

/** What the stack must understand of a line that a service logs. */
interface ServiceLine {
  readonly level: number;
  readonly msg?: unknown;
  readonly url?: unknown;
}

/** Null for what is no log line: the words of a crash, or of a wrong configuration. */
export function parseServiceLine(line: string): ServiceLine | null {
  if (!line.startsWith('{"level":')) {
    return null;
  }
  try {
    return JSON.parse(line) as ServiceLine;
  } catch {
    return null;
  }
}

/** The address in the line by which a service says that it is ready. */
export function readyUrl(line: ServiceLine | null): string | null {
  return line?.msg === 'service ready' && typeof line.url === 'string' ? line.url : null;
}

/** One JSON line that says which process speaks. */
export function labelledLine(name: string, line: string): string {
  return parseServiceLine(line) === null
    ? JSON.stringify({
        level: pino.levels.values.warn,
        time: new Date().toISOString(),
        instance: name,
        msg: 'output of a service',
        output: line,
      })
    : `{"instance":${JSON.stringify(name)},${line.slice(1)}`;
}

/** The level of a line; one that is not from the logger is a warning. */
export function levelOf(line: string): number {
  return Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? pino.levels.values.warn);
}

/** The lowest number that passes under a level's name; what is no name counts as `info`. */
export function thresholdOf(level: string | undefined): number {
  return level === 'silent'
    ? Number.POSITIVE_INFINITY
    : (pino.levels.values[level ?? 'info'] ?? Number(pino.levels.values.info));
}
