import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface Promtool {
  /** @throws Error with what promtool printed, when it does not end with status 0 */
  run(...args: string[]): Promise<string>;
}

/** Why there is no promtool, and what helps. */
export const noPromtool =
  'no promtool on this machine: install Prometheus (Debian: apt-get install prometheus), or name it by PROMTOOL_PATH';

/** Undefined when this machine has none; {@link noPromtool} says what to do. */
export async function obtainPromtool(
  env: NodeJS.ProcessEnv = process.env,
): Promise<Promtool | undefined> {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  const candidates = [
    ...(env.PROMTOOL_PATH ? [env.PROMTOOL_PATH] : []),
    ...folders.filter((folder) => folder !== '').map((folder) => join(folder, 'promtool')),
  ];
  for (const file of candidates) {
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) {
      return { run: (...args) => run(file, args) };
    }
  }
  return undefined;
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  if (status !== 0) {
    throw new Error(`promtool ${args.join(' ')} ended with ${status}:\n${output}`);
  }
  return output;
}
