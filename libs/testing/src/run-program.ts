import { spawn } from 'node:child_process';

const keptOutput = 8 * 1024;

/**
 * Runs a program to its end and gives what it printed, at most the last 8 KiB.
 *
 * @throws Error with that output when it cannot be run, exits with another status than 0, or is not
 * done within `timeout` ms.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly timeout: number },
): Promise<string> {
  const child = spawn(file, args, {
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeout,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-keptOutput);
    });
  }
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(signal ?? (status ? `status ${status}` : '')));
  });
  if (ending !== '') {
    throw new Error(`${[file, ...args].join(' ')} failed (${ending}):\n${output}`);
  }
  return output;
}
