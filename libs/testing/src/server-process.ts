import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Guard } from './guard.ts';
import { hasStopped } from './has-stopped.ts';
import { waitFor } from './wait-for.ts';

const keptOutput = 16 * 1024;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * One run of a server. It is in a process group of its own, so that Ctrl-C reaches its parent only,
 * which then stops things in order; the guard sees to it that it does not outlive the parent.
 */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';
  #failure: Error | undefined;
  #paused = false;

  constructor(command: Command, guard: Guard) {
    this.#child = spawn(command.file, command.args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    guard.watch(this.#child.pid ?? null);
    this.#exited = new Promise((resolve) => {
      const settle = () => {
        guard.watch(null);
        resolve();
      };
      this.#child.once('exit', settle);
      this.#child.once('error', (error) => {
        this.#failure = error;
        settle();
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-keptOutput);
      });
    }
  }

  /** The process id while the server runs, else null. */
  get pid(): number | null {
    return this.running ? (this.#child.pid ?? null) : null;
  }

  get running(): boolean {
    return (
      this.#failure === undefined &&
      this.#child.exitCode === null &&
      this.#child.signalCode === null
    );
  }

  /** The end of what the server printed, at most 16 KiB; first the reason if it did not start. */
  get output(): string {
    return this.#failure ? `${this.#failure.message}\n${this.#output}` : this.#output;
  }

  /** SIGSTOP; resolves when every thread of the process stands still. */
  async pause(): Promise<void> {
    this.#signal('SIGSTOP');
    this.#paused = true;
    const { pid } = this.#child;
    if (pid !== undefined) {
      await waitFor(() => hasStopped(pid), { interval: 5, describe: 'the server to stand still' });
    }
  }

  resume(): void {
    this.#signal('SIGCONT');
    this.#paused = false;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.running) {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
  }

  /** SIGTERM, and SIGKILL after `grace` ms; resolves when the process is gone. */
  async stop(grace: number): Promise<void> {
    if (!this.running) {
      return;
    }
    if (this.#paused) {
      this.resume();
    }
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), grace);
    await this.#exited;
    clearTimeout(timer);
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.running) {
      throw new Error(`The server is not running and cannot get ${signal}`);
    }
    this.#child.kill(signal);
  }
}
