import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@bambochat/testing';

export type CrowdOrder = { readonly id: number } & (
  | {
      readonly kind: 'open';
      /** Servers, in turns. */
      readonly urls: readonly string[];
      readonly members: readonly string[];
      readonly concurrency: number;
      readonly localAddress?: string;
    }
  | {
      readonly kind: 'open-bare';
      readonly port: number;
      readonly count: number;
      readonly frameBytes: number;
    }
  | { readonly kind: 'count' }
);

export interface CrowdReport {
  readonly id: number;
  /** Messages, or frames of bare connections, so far. */
  readonly received: number;
  readonly failure?: string;
}

type OrderOf<Kind> = Omit<Extract<CrowdOrder, { kind: Kind }>, 'id' | 'kind'>;

/** All receivers of a benchmark: each group in a process of its own, as open files are limited. */
export class Crowd implements Disposable {
  readonly #env: Record<string, string>;
  readonly #groups = new Map<string, ChildProcess>();
  readonly #waiting = new Map<number, PromiseWithResolvers<CrowdReport>>();
  #lastId = 0;

  constructor(env: Record<string, string>) {
    this.#env = env;
  }

  async open(group: string, order: OrderOf<'open'>): Promise<void> {
    await this.#order(group, { kind: 'open', ...order });
  }

  async openBare(group: string, order: OrderOf<'open-bare'>): Promise<void> {
    await this.#order(group, { kind: 'open-bare', ...order });
  }

  /** Ends all of its connections. */
  close(group: string): void {
    this.#groups.get(group)?.kill('SIGKILL');
    this.#groups.delete(group);
  }

  async received(group: string): Promise<number> {
    return (await this.#order(group, { kind: 'count' })).received;
  }

  /**
   * Resolves when the group has received so many messages altogether.
   *
   * @throws Error when it has not after a minute, or has received more
   */
  async hasReceived(group: string, count: number): Promise<void> {
    let received = 0;
    await waitFor(
      async () => {
        received = await this.received(group);
        return received >= count;
      },
      {
        timeout: 60_000,
        interval: 10,
        describe: `${group} to receive ${count} messages`,
      },
    );
    if (received > count) {
      throw new Error(`${group} has received ${received} messages of ${count}`);
    }
  }

  #order(
    group: string,
    order: { kind: CrowdOrder['kind'] } & Record<string, unknown>,
  ): Promise<CrowdReport> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<CrowdReport>();
    this.#waiting.set(this.#lastId, waiting);
    this.#processOf(group).send({ id: this.#lastId, ...order });
    return waiting.promise;
  }

  #processOf(group: string): ChildProcess {
    const running = this.#groups.get(group);
    if (running !== undefined) {
      return running;
    }
    const started = fork(fileURLToPath(new URL('crowd-process.ts', import.meta.url)), {
      env: { ...process.env, ...this.#env },
      execArgv: ['--no-warnings'],
    });
    this.#groups.set(group, started);
    started.on('exit', (status) => {
      // Unless it was closed: nobody waits for it then.
      if (this.#groups.get(group) === started) {
        this.#groups.delete(group);
        for (const [id, waiting] of this.#waiting) {
          this.#waiting.delete(id);
          waiting.reject(new Error(`The receivers of ${group} have ended with status ${status}`));
        }
      }
    });
    started.on('message', (report: CrowdReport) => {
      const waiting = this.#waiting.get(report.id);
      this.#waiting.delete(report.id);
      if (report.failure === undefined) {
        waiting?.resolve(report);
      } else {
        waiting?.reject(new Error(`The receivers of ${group} failed: ${report.failure}`));
      }
    });
    return started;
  }

  [Symbol.dispose](): void {
    for (const group of [...this.#groups.keys()]) {
      this.close(group);
    }
  }
}
