import { readdir, readFile } from 'node:fs/promises';

/** CPUs that others may use, on average, in a round that counts. */
const TOLERATED = 0.25;

interface Usage {
  readonly at: number;
  /** Ticks of CPU time of the whole machine. */
  readonly machine: number;
  /** Of this process and all that it has started. */
  readonly own: number;
}

const TICKS_PER_SECOND = 100;

/**
 * What other programs did meanwhile. CPU time is counted for each process, but caches, memory and
 * hyperthreads are shared: the same work costs more time beside others.
 */
export class Disturbance {
  readonly #shares: number[] = [];
  #repeats: number;

  /** @param repeats rounds that may be done again altogether, because others were busy */
  constructor(repeats: number) {
    this.#repeats = repeats;
  }

  /** Does it, and as long as others were busy meanwhile and there are repeats left, does it again. */
  async keepAway<Result>(
    work: () => Promise<Result>,
    note: (line: string) => void,
  ): Promise<Result> {
    for (;;) {
      const before = await usage();
      const result = await work();
      const share = cpusOfOthers(before, await usage());
      if (share <= TOLERATED || this.#repeats === 0) {
        this.#shares.push(share);
        return result;
      }
      this.#repeats -= 1;
      note(`other programs used ${share.toFixed(2)} CPUs: once more`);
    }
  }

  /** CPUs that others used in the rounds that count: on average, and in the worst. */
  get figures(): { readonly mean: number; readonly worst: number } {
    const sum = this.#shares.reduce((total, share) => total + share, 0);
    return {
      mean: Number((sum / Math.max(1, this.#shares.length)).toFixed(3)),
      worst: Number(Math.max(0, ...this.#shares).toFixed(3)),
    };
  }
}

function cpusOfOthers(before: Usage, after: Usage): number {
  const ticks = after.machine - before.machine - (after.own - before.own);
  const seconds = (after.at - before.at) / 1000;
  // A process that ended takes its account with it.
  return Math.max(0, ticks / TICKS_PER_SECOND / seconds);
}

async function usage(): Promise<Usage> {
  const [machine, own] = await Promise.all([ticksOfMachine(), ticksOfTree(process.pid)]);
  return { at: performance.now(), machine, own };
}

/** user, nice, system, irq and softirq of all CPUs: not idle, not waiting for a disk, not stolen. */
async function ticksOfMachine(): Promise<number> {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user + nice + system + irq + softirq;
}

async function ticksOfTree(root: number): Promise<number> {
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name)) {
      const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // The name in brackets may hold anything.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11] ?? 0) + Number(fields[12] ?? 0),
      });
    }
  }
  let sum = 0;
  for (const [pid, { ticks }] of parents) {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)?.parent) {
      if (at === root) {
        sum += ticks;
        break;
      }
    }
  }
  return sum;
}
