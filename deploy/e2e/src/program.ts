import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProgramOutput, parseObject } from './program-output.ts';

const START_TIME = 120_000;
const STOP_TIME = 40_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A deployment that runs as a child process and has said that it is ready. */
export interface Program {
  readonly pid: number;
  /** The line it printed when it was ready. */
  readonly ready: Record<string, unknown>;
  readonly output: ProgramOutput;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it takes longer than 40 s. */
  stop(): Promise<Exit>;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Runs a `main.ts` of the repository and resolves with its ready line.
 *
 * @param program path below the repository
 * @throws Error with the end of its output when it exits, or says nothing within two minutes
 */
export async function startProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Program> {
  const readiness = Promise.withResolvers<Record<string, unknown>>();
  const output = new ProgramOutput((line) => {
    const entry = parseObject(line);
    if (entry?.ready === true) {
      readiness.resolve(entry);
    }
  });
  const child = spawn(process.execPath, [program, ...args], {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.write('stdout', text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.write('stderr', text));
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  const endWithTests = () => child.kill('SIGTERM');
  process.once('exit', endWithTests);
  void exited.then(() => {
    process.off('exit', endWithTests);
    readiness.reject(new Error(`${program} ended before it was ready:\n${output.tail}`));
  });
  const deadline = setTimeout(() => {
    readiness.reject(new Error(`${program} is not ready after 120 s:\n${output.tail}`));
    child.kill('SIGTERM');
  }, START_TIME);
  const ready = await readiness.promise.finally(() => clearTimeout(deadline));

  return {
    pid: child.pid ?? -1,
    ready,
    output,
    exited,
    signal(signal) {
      child.kill(signal);
    },
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIME);
      return exited.finally(() => clearTimeout(late));
    },
  };
}
