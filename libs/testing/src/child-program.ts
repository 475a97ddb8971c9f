import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this package, run by this Node in a process of its own. */
export interface ChildProgram extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first line that it prints. @throws Error with its error output when it ends before. */
  firstLine(): Promise<string>;
  /** Its end: status, signal and everything that it printed. */
  ended(): Promise<{ status: number | null; signal: string | null; output: string }>;
}

/** @param file relative to this folder */
export function runChildProgram(
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): ChildProgram {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', path, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const closed = once(child, 'close');
  return {
    child,
    async firstLine() {
      while (!output.includes('\n')) {
        await Promise.race([once(child.stdout, 'data'), closed]);
        if (child.exitCode !== null && !output.includes('\n')) {
          throw new Error(`${file} ended without a line:\n${errors}`);
        }
      }
      return output.slice(0, output.indexOf('\n'));
    },
    async ended() {
      await closed;
      return { status: child.exitCode, signal: child.signalCode, output };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
