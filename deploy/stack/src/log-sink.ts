import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Where the lines of all processes go. */
export interface LogSink {
  write(line: string): void;
  /** Resolves when all is written, or after a second at most. */
  flush(): Promise<void>;
}

const WAITING_MAX = 4 * 1024 * 1024;
const FLUSH_TIMEOUT = 1000;

/**
 * Lines that nobody takes are dropped beyond 4 MiB and counted: neither memory nor a service that
 * logs may wait for a slow reader.
 */
export function createLogSink(stream: Writable, options: { max?: number } = {}): LogSink {
  const max = options.max ?? WAITING_MAX;
  let dropped = 0;
  // Whoever read it is gone. The stack goes on without.
  stream.on('error', () => {});

  function put(line: string): void {
    if (!stream.destroyed && !stream.writableEnded) {
      stream.write(`${line}\n`);
    }
  }

  return {
    write(line) {
      if (stream.writableLength > max) {
        dropped += 1;
        return;
      }
      if (dropped > 0) {
        put(JSON.stringify({ level: 40, service: 'stack', msg: 'log lines dropped', dropped }));
        dropped = 0;
      }
      put(line.trimEnd());
    },
    async flush() {
      if (stream.destroyed || stream.writableLength === 0) {
        return;
      }
      const flushed = Promise.withResolvers<void>();
      const timer = setTimeout(flushed.resolve, FLUSH_TIMEOUT);
      stream.write('', () => flushed.resolve());
      await flushed.promise;
      clearTimeout(timer);
    },
  };
}

/**
 * Appends to a file.
 *
 * @throws Error of `node:fs` when it cannot be opened.
 */
export async function openLogFile(path: string): Promise<LogSink> {
  const file = await open(path, 'a', 0o600);
  return createLogSink(createWriteStream(path, { fd: file }));
}
