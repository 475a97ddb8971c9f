import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OpenOrder, Progress } from './hold-idle-sockets.ts';

/** Sockets of one process: below the limits for open files that systems have by default. */
const SOCKETS_PER_PROCESS = 5000;
const CONCURRENCY = 64;

export interface IdleSocketsOptions
  extends Pick<OpenOrder, 'urls' | 'secret' | 'issuer' | 'audience' | 'prefix'> {}

/** Sockets of as many users, who do nothing; spread evenly over the gateways. */
export class IdleSockets implements Disposable {
  readonly #options: IdleSocketsOptions;
  readonly #holders: { process: ChildProcess; held: number; lost: number }[] = [];
  #opened = 0;

  constructor(options: IdleSocketsOptions) {
    this.#options = options;
  }

  /** Sockets that are open now. */
  get open(): number {
    return this.#opened - this.#holders.reduce((sum, { lost }) => sum + lost, 0);
  }

  /**
   * Opens more until there are `total`, {@link CONCURRENCY} handshakes at a time.
   *
   * @throws Error when some cannot be opened, with the first reasons
   */
  async growTo(total: number): Promise<void> {
    const orders: Promise<Progress & { kind: 'opened' }>[] = [];
    const lots: { holder: ChildProcess; first: number; count: number }[] = [];
    let first = this.#opened;
    while (first < total) {
      const holder = this.#roomiest();
      const count = Math.min(total - first, SOCKETS_PER_PROCESS - holder.held);
      lots.push({ holder: holder.process, first, count });
      holder.held += count;
      first += count;
    }
    const concurrency = Math.max(1, Math.floor(CONCURRENCY / Math.max(1, lots.length)));
    for (const { holder, ...lot } of lots) {
      orders.push(opened(holder));
      holder.send({ ...this.#options, ...lot, concurrency } satisfies OpenOrder);
    }
    const outcomes = await Promise.all(orders);
    this.#opened += outcomes.reduce((sum, outcome) => sum + outcome.opened, 0);
    const failures = outcomes.flatMap((outcome) => outcome.failures);
    if (failures.length > 0) {
      throw new Error(`Sockets could not be opened: ${failures.slice(0, 5).join('; ')}`);
    }
  }

  #roomiest() {
    const last = this.#holders.at(-1);
    if (last !== undefined && last.held < SOCKETS_PER_PROCESS) {
      return last;
    }
    const process = fork(fileURLToPath(new URL('hold-idle-sockets.ts', import.meta.url)), {
      execArgv: ['--no-warnings'],
    });
    const holder = { process, held: 0, lost: 0 };
    process.on('message', (progress: Progress) => {
      if (progress.kind === 'lost') {
        holder.lost = progress.lost;
      }
    });
    this.#holders.push(holder);
    return holder;
  }

  [Symbol.dispose](): void {
    for (const { process } of this.#holders) {
      process.kill('SIGKILL');
    }
  }
}

/** @throws Error when the process ends before it has said it */
async function opened(holder: ChildProcess): Promise<Progress & { kind: 'opened' }> {
  const gone = new AbortController();
  const ended = once(holder, 'exit', { signal: gone.signal }).then(() => {
    throw new Error('A process that holds idle sockets has ended');
  });
  const said = new Promise<Progress & { kind: 'opened' }>((resolve) => {
    const listen = (progress: Progress) => {
      if (progress.kind === 'opened') {
        holder.off('message', listen);
        resolve(progress);
      }
    };
    holder.on('message', listen);
  });
  try {
    return await Promise.race([said, ended]);
  } finally {
    ended.catch(() => {});
    gone.abort();
  }
}
