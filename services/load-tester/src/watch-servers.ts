import type { ServerProcess } from './server-processes.ts';

export interface ServerFigures {
  /** Seconds of CPU time of all. */
  readonly cpu: number;
  /** Resident bytes of all, at the end. */
  readonly memory: number;
  readonly processes: readonly {
    readonly name: string;
    readonly cpu: number;
    readonly memory: number;
  }[];
  /** About every second. */
  readonly samples: readonly ServerSample[];
}

export interface ServerSample {
  /** Seconds since the run began. */
  readonly at: number;
  /** CPU seconds a second since the sample before, of each process and of all. */
  readonly cpu: number;
  readonly cpuOf: readonly number[];
  /** Bytes. */
  readonly memory: number;
}

export interface ServerWatch extends AsyncDisposable {
  /** Seconds of CPU time of each process since it began. */
  cpu(): Promise<number[]>;
  begin(): Promise<void>;
  /** Since `begin`; null: there is nothing to look at. */
  figures(): Promise<ServerFigures | null>;
}

type Look = { at: number; of: { cpu: number; memory: number }[] };

const INTERVAL = 1000;

/** Looks at the servers once a second, until `figures` is asked for or it is disposed of. */
export async function watchServers(processes: readonly ServerProcess[]): Promise<ServerWatch> {
  const samples: ServerSample[] = [];
  // Who cannot be looked at is told before the run, and not after it.
  let began = await look();
  let last = began;
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;

  async function look(): Promise<Look> {
    const of = await Promise.all(processes.map((process) => process.read()));
    return { at: performance.now(), of };
  }
  async function sample(): Promise<void> {
    const now = await look();
    const cpuOf = now.of.map(({ cpu }, index) =>
      round(((cpu - (last.of[index]?.cpu ?? 0)) * 1000) / (now.at - last.at)),
    );
    samples.push({
      at: round((now.at - began.at) / 1000),
      cpu: round(cpuOf.reduce((sum, one) => sum + one, 0)),
      cpuOf,
      memory: now.of.reduce((sum, { memory }) => sum + memory, 0),
    });
    last = now;
  }
  function stop(): Promise<void> {
    if (timer !== null) {
      clearInterval(timer);
    }
    return looking;
  }

  return {
    cpu: async () => (await look()).of.map(({ cpu }) => cpu),
    async begin() {
      if (processes.length === 0) {
        return;
      }
      began = await look();
      last = began;
      timer = setInterval(() => {
        // A process that has ended shows no more; `figures` says so.
        looking = looking.then(sample).catch(() => {});
      }, INTERVAL);
    },
    async figures() {
      await stop();
      if (processes.length === 0) {
        return null;
      }
      const { of } = await look();
      const figures = processes.map(({ name }, index) => ({
        name,
        cpu: round((of[index]?.cpu ?? 0) - (began.of[index]?.cpu ?? 0)),
        memory: of[index]?.memory ?? 0,
      }));
      return {
        cpu: round(figures.reduce((sum, { cpu }) => sum + cpu, 0)),
        memory: figures.reduce((sum, { memory }) => sum + memory, 0),
        processes: figures,
        samples,
      };
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** To the tenth of a millisecond. */
function round(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000;
}
