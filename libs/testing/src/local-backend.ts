import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, BackendName } from './backend.ts';
import { freePort, isPortFree } from './free-port.ts';
import { Guard } from './guard.ts';
import { probeReady } from './readiness.ts';
import type { Command } from './server-process.ts';
import { ServerProcess } from './server-process.ts';
import { waitFor } from './wait-for.ts';

const startTime = 30_000;
const stopTime = 10_000;
/** Nothing of a server with temporary data needs saving, and some take seconds to stop. */
const discardTime = 300;
const portAttempts = 5;

/** How a server that is installed on this machine is run. */
export interface LocalServer {
  readonly name: BackendName;
  /** One line: what was chosen and why. */
  readonly source: string;
  /** The command that serves 127.0.0.1:`port` with `folder` as its only data folder. */
  command(port: number, folder: string): Command;
  url(port: number): string;
  /** What has to be done, each time it starts, before it is ready; called again after a failure. */
  onAnswer?(port: number): Promise<void>;
}

/**
 * Starts the server on a free port and resolves when it answers.
 *
 * @param dataDir keep the data in `<dataDir>/<name>`; without it a temporary folder is used, which
 * goes away with the server.
 * @throws Error with the end of the server's output when it does not come up within 30 s.
 */
export async function startLocalBackend(server: LocalServer, dataDir?: string): Promise<Backend> {
  const folder = dataDir
    ? join(dataDir, server.name)
    : await mkdtemp(join(tmpdir(), `bambochat-${server.name}-`));
  const guard = new Guard(dataDir ? undefined : folder);
  const discard = async () => {
    if (!dataDir) {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
    guard.dismiss();
  };
  try {
    await mkdir(folder, { recursive: true });
    for (let attempt = 1; ; attempt += 1) {
      const backend = new LocalBackend(server, await freePort(), folder, guard, {
        time: dataDir ? stopTime : discardTime,
        discard,
      });
      try {
        await backend.start();
        return backend;
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === portAttempts) {
          throw error;
        }
      }
    }
  } catch (error) {
    await discard();
    throw error;
  }
}

class PortTakenError extends Error {}

/** How `stop()` goes: milliseconds until SIGKILL, and what is cleared away afterwards. */
interface Ending {
  readonly time: number;
  discard(): Promise<void>;
}

class LocalBackend implements Backend {
  readonly #server: LocalServer;
  readonly #port: number;
  readonly #folder: string;
  readonly #guard: Guard;
  readonly #ending: Ending;
  #process: ServerProcess | undefined;

  constructor(server: LocalServer, port: number, folder: string, guard: Guard, ending: Ending) {
    this.#server = server;
    this.#port = port;
    this.#folder = folder;
    this.#guard = guard;
    this.#ending = ending;
  }

  get name(): BackendName {
    return this.#server.name;
  }

  get url(): string {
    return this.#server.url(this.#port);
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get source(): string {
    return this.#server.source;
  }

  async start(): Promise<void> {
    const process = new ServerProcess(this.#server.command(this.#port, this.#folder), this.#guard);
    this.#process = process;
    try {
      // A server that lost the port to somebody else exits; the somebody else may well answer, so
      // that our process still runs is asked after the answer and not only before.
      const outcome = await waitFor(
        async () => {
          if (!process.running) {
            return 'exited';
          }
          await this.#server.onAnswer?.(this.#port);
          await probeReady(this.name, this.url);
          return process.running ? 'ready' : 'exited';
        },
        { timeout: startTime, describe: `${this.name} to answer at ${this.url}` },
      );
      if (outcome === 'exited') {
        throw new Error(`${this.name} exited while it started`);
      }
    } catch (error) {
      await process.kill();
      const message = `${this.source} did not start. The end of its output:\n${process.output}`;
      throw /address (is )?already in use/i.test(process.output)
        ? new PortTakenError(message, { cause: error })
        : new Error(message, { cause: error });
    }
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async restart(): Promise<void> {
    await this.#process?.stop(stopTime);
    // The address must stay the same, so a port that somebody holds for a moment is waited for.
    await waitFor(() => isPortFree(this.#port), {
      timeout: stopTime,
      describe: `port ${this.#port} to be free again for ${this.name}`,
    });
    await this.start();
  }

  async pause(): Promise<void> {
    await this.#running().pause();
  }

  async resume(): Promise<void> {
    this.#running().resume();
  }

  async stop(): Promise<void> {
    await this.#process?.stop(this.#ending.time);
    await this.#ending.discard();
  }

  #running(): ServerProcess {
    if (!this.#process?.running) {
      throw new Error(`${this.name} is not running`);
    }
    return this.#process;
  }
}
