import { createLogSink, openLogFile } from './log-sink.ts';
import { readInvocation, UsageError, usage } from './options.ts';
import { readyLine, readyTable } from './ready-line.ts';
import { startStack } from './stack.ts';

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;

process.exitCode = await main();
// Whatever still holds the event loop has had its time.
process.exit();

async function main(): Promise<number> {
  let invocation: ReturnType<typeof readInvocation>;
  try {
    invocation = readInvocation(process.argv.slice(2));
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${usage}`);
      return WRONG_USAGE;
    }
    throw error;
  }
  if (invocation.kind === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const { options, json } = invocation;
  // Nobody may listen any more; that is no reason to leave processes behind.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const complain = (line: string) => void process.stderr.write(`${line}\n`);

  const wanted = stopSignals();
  const logs =
    options.logFile === null ? createLogSink(process.stderr) : await openLogFile(options.logFile);
  try {
    const stack = await startStack({
      ...options,
      announce: json ? complain : print,
      logs,
      signal: wanted,
    });
    print(json ? readyLine(stack) : readyTable(stack));
    await new Promise<void>((resolve) => {
      if (wanted.aborted) {
        resolve();
      } else {
        wanted.addEventListener('abort', () => resolve(), { once: true });
      }
    });
    return (await stack.stop()) ? 0 : 1;
  } catch (error) {
    if (wanted.aborted) {
      return 0;
    }
    complain(`The stack does not start: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await logs.flush();
  }
}

/**
 * Aborted by the first Ctrl-C, SIGTERM or closed terminal. The second ends this process at once,
 * and with it, by their guards, all others.
 */
function stopSignals(): AbortSignal {
  const wanted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (wanted.signal.aborted) {
        process.exit(1);
      }
      wanted.abort();
    });
  }
  return wanted.signal;
}
