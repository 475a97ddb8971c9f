import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './worker-protocol.ts';

type Kind = Exclude<Report['kind'], 'progress' | 'failed'>;

/** The processes that hold the sockets. */
export class Workers implements Disposable {
  readonly #processes: ChildProcess[];

  constructor(
    count: number,
    onProgress: (worker: number, report: Report & { kind: 'progress' }) => void,
  ) {
    this.#processes = Array.from({ length: count }, (_, worker) => {
      const process = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
        execArgv: ['--no-warnings'],
      });
      process.on('message', (report: Report) => {
        if (report.kind === 'progress') {
          onProgress(worker, report);
        }
      });
      return process;
    });
  }

  /**
   * Gives every worker its order, and waits until all have said that it is done.
   *
   * @throws Error when one has failed or ended
   */
  async order<K extends Kind>(
    orderOf: (worker: number) => Order,
    until: K,
  ): Promise<(Report & { kind: K })[]> {
    return Promise.all(
      this.#processes.map(
        (process, worker) =>
          new Promise<Report & { kind: K }>((resolve, reject) => {
            const ended = () => reject(new Error('A process that holds sockets has ended'));
            const listen = (report: Report) => {
              if (report.kind === until || report.kind === 'failed') {
                process.off('message', listen);
                process.off('exit', ended);
                if (report.kind === 'failed') {
                  reject(new Error(report.message));
                } else {
                  resolve(report as Report & { kind: K });
                }
              }
            };
            process.on('message', listen);
            process.on('exit', ended);
            process.send(orderOf(worker));
          }),
      ),
    );
  }

  [Symbol.dispose](): void {
    for (const process of this.#processes) {
      process.kill('SIGKILL');
    }
  }
}
