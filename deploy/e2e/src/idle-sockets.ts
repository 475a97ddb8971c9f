import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Of one process of the load tester: below the limits for open files that systems have by default. */
const SOCKETS_PER_PROCESS = 5000;
/** Seconds; it is ended before. */
const FOR_LONG = 86_400;
const REASON_LINES = 5;

const repository = fileURLToPath(new URL('../../../', import.meta.url));

export interface IdleSocketsOptions {
  readonly urls: readonly string[];
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Sockets of as many users, who do nothing, spread evenly over the gateways: held by the load tester. */
export class IdleSockets implements Disposable {
  readonly #options: IdleSocketsOptions;
  readonly #holders: { process: ChildProcess; open: number }[] = [];

  constructor(options: IdleSocketsOptions) {
    this.#options = options;
  }

  /** Sockets that are open now, as far as was said in the last second. */
  get open(): number {
    return this.#holders.reduce((sum, { open }) => sum + open, 0);
  }

  /**
   * Opens more until there are `total`.
   *
   * @throws Error when some cannot be opened, with the last that the load tester said
   */
  async growTo(total: number): Promise<void> {
    const more = total - this.open;
    const { urls, secret, issuer, audience } = this.#options;
    const holding = spawn(
      process.execPath,
      [
        ...['--no-warnings', 'services/load-tester/src/main.ts', '--profile', 'idle'],
        ...['--target', urls.join(), '--sockets', String(more), '--connect-rate', '100000'],
        ...['--processes', String(Math.ceil(more / SOCKETS_PER_PROCESS))],
        ...['--duration', String(FOR_LONG)],
      ],
      {
        cwd: repository,
        env: { ...process.env, JWT_SECRET: secret, JWT_ISSUER: issuer, JWT_AUDIENCE: audience },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const holder = { process: holding, open: 0 };
    this.#holders.push(holder);
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: holding.stderr }).on('line', (line) => {
        said.push(line);
        said.splice(0, said.length - REASON_LINES);
        const open = /^(\d+) open/.exec(line)?.[1];
        if (open !== undefined) {
          holder.open = Number(open);
        } else if (line.startsWith('running')) {
          holder.open = more;
          resolve();
        }
      });
      holding.once('exit', () => {
        holder.open = 0;
        reject(new Error(`Sockets could not be opened: ${said.join('; ')}`));
      });
    });
  }

  [Symbol.dispose](): void {
    for (const { process } of this.#holders) {
      process.kill('SIGKILL');
    }
  }
}
