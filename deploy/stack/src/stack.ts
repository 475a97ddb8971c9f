import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger, isLogLevel } from '@bambochat/runtime';
import { type Backends, startBackends } from '@bambochat/testing';
import { type Edge, startEdge } from './edge.ts';
import { thresholdOf } from './log-lines.ts';
import type { LogSink } from './log-sink.ts';
import type { StackOptions } from './options.ts';
import { createOrphanGuard } from './orphan-guard.ts';
import type { StackListing } from './ready-line.ts';
import { serviceEnvironment } from './service-environment.ts';
import { type Kind, kindNames, kinds, SERVICES_STOP, stopOrder } from './service-kinds.ts';
import { restartPolicy, type SupervisedService, superviseService } from './supervised-service.ts';
import type { Target } from './target-pool.ts';

const HOST = '127.0.0.1';
/** Milliseconds; with those of the services the bound of a whole stop. */
const BACKENDS_STOP = 10_000;

export interface StartStackOptions extends Omit<StackOptions, 'logFile'> {
  /** Gets one line for each back end that is chosen. */
  readonly announce: (line: string) => void;
  /** Gets the logs of all processes. */
  readonly logs: Pick<LogSink, 'write'>;
  /** Default `process.env`. Passed on to the services. */
  readonly env?: NodeJS.ProcessEnv;
  /** Ends a start that is under way; what was started is stopped. */
  readonly signal?: AbortSignal;
}

export interface Stack extends StackListing, AsyncDisposable {
  /**
   * From the outside in: edge, gateways and web, message-, presence-, history-, directory-services, back
   * ends. Takes 30 s at most. Resolves with false when something had to be killed. Can be called again.
   */
  stop(): Promise<boolean>;
}

/**
 * Starts the distributed system as local processes and resolves when all of them are ready.
 *
 * @throws Error when a back end cannot be had, a service does not start (with its last lines) or the
 *   port is taken; nothing is left running then.
 */
export async function startStack(options: StartStackOptions): Promise<Stack> {
  const env = options.env ?? process.env;
  const signal = options.signal ?? new AbortController().signal;
  const write = (line: string) => options.logs.write(line);
  // A wrong level is for the services to refuse, by name.
  const level = isLogLevel(env.LOG_LEVEL) ? env.LOG_LEVEL : 'info';
  const logger = createLogger({ name: 'stack', level, stream: { write } });
  const guard = createOrphanGuard();
  let services: Record<Kind, SupervisedService[]> = {
    webServices: [],
    gateways: [],
    messageServices: [],
    presenceServices: [],
    historyServices: [],
    directoryServices: [],
  };
  let backends: Backends | null = null;
  let draining = false;

  const targetsOf = (kind: Kind): Target[] =>
    services[kind].flatMap(({ target }) => (target === null ? [] : [target]));

  // First of all, so that a port that is taken costs no time; it answers UNAVAILABLE until then.
  const edge: Edge = await startEdge({
    host: HOST,
    port: options.port,
    targets: {
      gateways: () => targetsOf('gateways'),
      history: () => targetsOf('historyServices'),
      directory: () => targetsOf('directoryServices'),
      web: () => targetsOf('webServices'),
    },
    readiness: () => {
      const alive = kindNames.map((kind) => [kinds[kind], targetsOf(kind).length > 0] as const);
      return {
        ready: !draining && alive.every(([, some]) => some),
        checks: Object.fromEntries(alive.map(([name, some]) => [name, some ? 'ok' : 'failed'])),
        draining,
      };
    },
    logger,
  }).catch((error: unknown) => {
    guard.dismiss();
    throw error;
  });

  let stopping: Promise<boolean> | null = null;
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };

  async function stopAll(): Promise<boolean> {
    draining = true;
    logger.info('stack stopping');
    edge.stopAccepting();
    const timer = new AbortController();
    const deadline = delay(SERVICES_STOP, undefined, { signal: timer.signal }).catch(() => {});
    let clean = true;
    for (const together of stopOrder) {
      const stopping = together.flatMap((kind) => services[kind]);
      const ends = await Promise.all(stopping.map((service) => service.stop(deadline)));
      clean &&= ends.every(Boolean);
    }
    timer.abort();
    await edge.stop();
    clean = (await stopBackends()) && clean;
    guard.dismiss();
    logger.info({ clean }, 'stack stopped');
    return clean;
  }

  async function stopBackends(): Promise<boolean> {
    const timer = new AbortController();
    try {
      const late = delay(BACKENDS_STOP, 'late', { signal: timer.signal });
      late.catch(() => {});
      const outcome = await Promise.race([backends?.stop(), late]);
      if (outcome === 'late') {
        // Their own guards kill them when this process ends.
        logger.error('back ends did not stop in time');
      }
      return outcome !== 'late';
    } catch (error) {
      logger.error({ err: error }, 'back ends failed to stop');
      return false;
    } finally {
      timer.abort();
    }
  }

  try {
    backends = await startBackends({ announce: options.announce, env });
    signal.throwIfAborted();
    const environment = serviceEnvironment(env, backends);
    const starting = new AbortController();
    const place = (kind: Kind, index: number) =>
      superviseService({
        command: {
          name: `${kinds[kind]}-${index + 1}`,
          entry: fileURLToPath(
            new URL(`../../../services/${kinds[kind]}/src/main.ts`, import.meta.url),
          ),
          env: environment,
        },
        surroundings: {
          guard,
          log: write,
          threshold: thresholdOf(env.LOG_LEVEL || 'info'),
          signal: AbortSignal.any([signal, starting.signal]),
        },
        restart: options.restart ? restartPolicy : null,
        logger,
      });
    const places = (kind: Kind) =>
      Array.from({ length: options[kind] }, (_none, index) => place(kind, index));
    services = {
      webServices: places('webServices'),
      gateways: places('gateways'),
      messageServices: places('messageServices'),
      presenceServices: places('presenceServices'),
      historyServices: places('historyServices'),
      directoryServices: places('directoryServices'),
    };
    await startAll(Object.values(services).flat(), starting);
  } catch (error) {
    await stop();
    throw error;
  }

  const { mongodb, redis, nats } = backends;
  const listings = (kind: Kind) => services[kind].map(({ listing }) => listing);
  return {
    edge: { url: edge.url },
    get gateways() {
      return listings('gateways');
    },
    get messageServices() {
      return listings('messageServices');
    },
    get historyServices() {
      return listings('historyServices');
    },
    get directoryServices() {
      return listings('directoryServices');
    },
    get presenceServices() {
      return listings('presenceServices');
    },
    get webServices() {
      return listings('webServices');
    },
    backends: { mongodb, redis, nats },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** @throws Error the first failure, once all others have ended their start too. */
async function startAll(
  services: readonly SupervisedService[],
  starting: AbortController,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    services.map(async (service) => {
      try {
        await service.start();
      } catch (error) {
        failures.push(error);
        starting.abort();
      }
    }),
  );
  if (failures.length > 0) {
    throw failures[0];
  }
  const dead = services.find(({ target }) => target === null);
  if (dead !== undefined) {
    throw new Error(`${dead.name} died while the others started; its log tells why`);
  }
}
