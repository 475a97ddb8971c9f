import { readdir, readFile } from 'node:fs/promises';
import { runProgram } from './run-program.ts';

/**
 * Whether a process that was sent SIGSTOP has stopped. The signal takes effect in one thread after
 * the other: a server may still answer after it was sent.
 */
export async function hasStopped(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') {
    const state = await runProgram('ps', ['-o', 'state=', '-p', String(pid)], { timeout: 5000 });
    return state.trim().startsWith('T');
  }
  const folder = `/proc/${pid}/task`;
  const states = await Promise.all(
    (await readdir(folder)).map(async (thread) => {
      const stat = await readFile(`${folder}/${thread}/stat`, 'latin1');
      // `pid (name) state …`, and a name may hold brackets too.
      return stat.charAt(stat.lastIndexOf(')') + 2);
    }),
  );
  return states.length > 0 && states.every((state) => state === 'T');
}
