import { cpuSeconds, memoryBytes } from './process-figures.ts';

export interface ServerFigures {
  /** Seconds of CPU time. */
  readonly cpu: number;
  /** Bytes, at the end. */
  readonly memory: number;
  /** Every second: CPU seconds a second, bytes. */
  readonly samples: readonly { readonly cpu: number; readonly memory: number }[];
}

/** Looks at processes of this machine once a second, until it is disposed of. */
export async function watchServers(
  pids: readonly number[],
): Promise<AsyncDisposable & { figures(): Promise<ServerFigures | null> }> {
  const began = await look();
  const samples: { cpu: number; memory: number }[] = [];
  let last = began;
  let lastAt = performance.now();
  let looking: Promise<void> = Promise.resolve();

  async function look() {
    const memories = await Promise.all(pids.map(memoryBytes));
    return { cpu: await cpuSeconds(pids), memory: memories.reduce((sum, one) => sum + one, 0) };
  }
  async function sample(): Promise<void> {
    const now = await look();
    const at = performance.now();
    samples.push({ cpu: ((now.cpu - last.cpu) * 1000) / (at - lastAt), memory: now.memory });
    [last, lastAt] = [now, at];
  }
  const timer =
    pids.length === 0
      ? null
      : setInterval(() => {
          // A process that has ended shows no more; `figures` says so.
          looking = looking.then(sample).catch(() => {});
        }, 1000);

  return {
    async figures() {
      if (timer === null) {
        return null;
      }
      clearInterval(timer);
      await looking;
      const { cpu, memory } = await look();
      return { cpu: cpu - began.cpu, memory, samples };
    },
    async [Symbol.asyncDispose]() {
      if (timer !== null) {
        clearInterval(timer);
      }
      await looking;
    },
  };
}
