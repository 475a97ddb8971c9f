import { readdir, readFile } from 'node:fs/promises';

/** Seconds of CPU time, user and system, of all threads of these processes. Linux. */
export async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let nanoseconds = 0;
  for (const pid of pids) {
    const threads = await readdir(`/proc/${pid}/task`).catch(() => {
      throw new Error(`There is no process ${pid} to look at`);
    });
    for (const thread of threads) {
      // The first number is the time on a CPU, to the nanosecond; `stat` counts in hundredths.
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
      nanoseconds += Number(text.split(' ')[0]);
    }
  }
  return nanoseconds / 1e9;
}

/** Bytes of memory that the process has to itself, and its share of what it has with others. */
export async function memoryBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
}
