import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@bambochat/testing';

export type CrowdOrder = { readonly id: number; readonly group: string } & (
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
  | { readonly kind: 'close' }
);

export interface CrowdReport {
  readonly id: number;
  /** Messages, or frames of bare connections, of the group so far. */
  readonly received: number;
  /** Sockets of the group that have ended, by whomever. */
  readonly lost: number;
  readonly failure?: string;
}

type OrderOf<Kind> = Omit<Extract<CrowdOrder, { kind: Kind }>, 'id' | 'kind' | 'group'>;

/** All receivers of a benchmark, in a process of their own. */
export class Crowd implements Disposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<CrowdReport>>();
  #lastId = 0;

  constructor(env: Record<string, string>) {
    this.#process = fork(fileURLToPath(new URL('crowd-process.ts', import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: ['--no-warnings'],
    });
    this.#process.on('message', (report: CrowdReport) => {
      const waiting = this.#waiting.get(report.id);
      this.#waiting.delete(report.id);
      if (report.failure === undefined) {
        waiting?.resolve(report);
      } else {
        waiting?.reject(new Error(`The receivers failed: ${report.failure}`));
      }
    });
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error('The process of the receivers has ended'));
      }
      this.#waiting.clear();
    });
  }

  async open(group: string, order: OrderOf<'open'>): Promise<void> {
    await this.#order(group, { kind: 'open', ...order });
  }

  async openBare(group: string, order: OrderOf<'open-bare'>): Promise<void> {
    await this.#order(group, { kind: 'open-bare', ...order });
  }

  async close(group: string): Promise<void> {
    await this.#order(group, { kind: 'close' });
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
    this.#process.send({ id: this.#lastId, group, ...order });
    return waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}
