import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProgramOutput } from '../src/program-output.ts';
import type { ExtraMember, ServiceKind } from './fault.ts';

const START_TIME = 60_000;
const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** One service, run as the README says. @throws Error with the end of its log when it does not start */
export async function startExtraMember(options: {
  kind: ServiceKind;
  env: Record<string, string>;
  through: readonly string[];
}): Promise<ExtraMember> {
  const ready = Promise.withResolvers<{ url: string; pid: number }>();
  const output = new ProgramOutput((line) => {
    if (line.includes('"service ready"')) {
      const { url, pid } = JSON.parse(line) as { url: string; pid: number };
      ready.resolve({ url, pid });
    }
  });
  const [program = '', ...args] = [
    ...options.through,
    process.execPath,
    `services/${options.kind}/src/main.ts`,
  ];
  const child = spawn(program, args, {
    cwd: repository,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.write('stdout', text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.write('stderr', text));
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  void exited.then(() =>
    ready.reject(new Error(`${options.kind} ended before it was ready:\n${output.tail}`)),
  );
  const deadline = setTimeout(
    () => ready.reject(new Error(`${options.kind} is not ready after a minute:\n${output.tail}`)),
    START_TIME,
  );
  const { url, pid } = await ready.promise
    .catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    })
    .finally(() => clearTimeout(deadline));
  return { url, pid, exited, entries: (message) => output.entries(message) };
}
