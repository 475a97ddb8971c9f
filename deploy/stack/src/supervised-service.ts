import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@bambochat/runtime';
import type { Listing } from './ready-line.ts';
import {
  type ServiceCommand,
  type ServiceProcess,
  type ServiceSurroundings,
  startServiceProcess,
} from './service-process.ts';
import type { Target } from './target-pool.ts';

/** A place in the stack that a process of a service fills; with restarts, one after the other. */
export interface SupervisedService {
  readonly name: string;
  /** The process of now, for the edge; null while there is none. */
  readonly target: Target | null;
  /** Where it listens, or listened last. */
  readonly listing: Listing;
  /** @throws Error as {@link startServiceProcess}. */
  start(): Promise<void>;
  /**
   * SIGTERM, and SIGKILL once `deadline` resolves. Resolves when it is gone: true if it went by
   * itself.
   */
  stop(deadline: Promise<unknown>): Promise<boolean>;
}

export interface RestartPolicy {
  /** Milliseconds before the first restart; doubles with every failure in a row. */
  readonly firstDelay: number;
  readonly maxDelay: number;
  /** Failures in a row after which the service stays down. */
  readonly maxFailures: number;
  /** Milliseconds of life after which a process counts as good and failures are counted anew. */
  readonly goodAfter: number;
}

export const restartPolicy: RestartPolicy = {
  firstDelay: 200,
  maxDelay: 10_000,
  maxFailures: 10,
  goodAfter: 30_000,
};

export function superviseService(options: {
  command: ServiceCommand;
  surroundings: ServiceSurroundings;
  /** Null: a service that died stays down. */
  restart: RestartPolicy | null;
  logger: Logger;
}): SupervisedService {
  const { command, restart, logger } = options;
  const { name } = command;
  const ending = new AbortController();
  const surroundings = {
    ...options.surroundings,
    signal: AbortSignal.any([options.surroundings.signal, ending.signal]),
  };
  let current: { process: ServiceProcess; target: Target } | null = null;
  let url = '';
  let failures = 0;
  let restarting: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    const process = await startServiceProcess(command, surroundings);
    const startedAt = performance.now();
    const mine = { process, target: { name, url: process.url } };
    current = mine;
    url = process.url;
    void process.exited.then((exit) => {
      current = null;
      if (ending.signal.aborted) {
        return;
      }
      logger.error({ instance: name, diedPid: process.pid, ...exit }, 'service died');
      if (restart !== null) {
        failures = performance.now() - startedAt < restart.goodAfter ? failures + 1 : 1;
        restarting = revive(restart);
      }
    });
  }

  async function revive(policy: RestartPolicy): Promise<void> {
    while (!surroundings.signal.aborted) {
      if (failures > policy.maxFailures) {
        logger.error({ instance: name, failures }, 'service keeps dying and stays down');
        return;
      }
      const wait = Math.min(policy.firstDelay * 2 ** (failures - 1), policy.maxDelay);
      try {
        await delay(wait, undefined, { signal: surroundings.signal });
        await run();
        logger.info({ instance: name, url }, 'service restarted');
        return;
      } catch (error) {
        failures += 1;
        if (!surroundings.signal.aborted) {
          logger.error({ instance: name, err: error }, 'service failed to restart');
        }
      }
    }
  }

  return {
    name,
    get target() {
      return current?.target ?? null;
    },
    get listing() {
      return { url, pid: current?.process.pid ?? null };
    },
    start: run,
    async stop(deadline) {
      ending.abort();
      await restarting;
      if (current === null) {
        return true;
      }
      const { process } = current;
      process.signal('SIGTERM');
      // One that somebody has stopped with SIGSTOP would not hear of it.
      process.signal('SIGCONT');
      const late = Symbol('late');
      const outcome = await Promise.race([process.exited, deadline.then(() => late)]);
      if (outcome !== late) {
        return true;
      }
      logger.error({ instance: name }, 'service did not stop in time and is killed');
      process.signal('SIGKILL');
      await process.exited;
      return false;
    },
  };
}
