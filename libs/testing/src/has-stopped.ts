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
    (await readdir(folder)).map((thread) => threadState(`${folder}/${thread}/stat`)),
  );
  const there = states.filter((state) => state !== null);
  return there.length > 0 && there.every((state) => state === 'T');
}

/** The letter of proc(5), or null when the thread ended after it was listed. */
async function threadState(file: string): Promise<string | null> {
  try {
    const stat = await readFile(file, 'latin1');
    // `pid (name) state …`, and a name may hold brackets too.
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: it ended between the opening of the file and the reading.
    if (code === 'ENOENT' || code === 'ESRCH') {
      return null;
    }
    throw error;
  }
}
