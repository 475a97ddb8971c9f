import { execFile } from 'node:child_process';
import { obtainTool, ToolMissingError } from '@bambochat/testing';

/** Gives what promtool printed. @throws Error with it, when promtool does not end with status 0 */
export type Promtool = (...args: readonly string[]) => Promise<string>;

/** Promtool, or why there is none: for `context.skip`. */
export async function obtainPromtool(): Promise<Promtool | string> {
  try {
    const { file, args } = await obtainTool('promtool');
    return (...own) => run(file, [...args, ...own]);
  } catch (error) {
    if (error instanceof ToolMissingError) {
      return error.message;
    }
    throw error;
  }
}

function run(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error === null) {
        resolve(output);
      } else {
        reject(new Error(`promtool ${args.join(' ')} failed:\n${output || error.message}`));
      }
    });
  });
}
