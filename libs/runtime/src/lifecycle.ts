import type { Logger } from './logger.ts';

/** What a factory gives: nothing happens before `start`. */
export interface Service {
  start(): Promise<void>;
  /** Takes no new work and finishes what is in flight. */
  drain(): Promise<void>;
  /** Lets go of everything. Also called when `drain` failed or ran out of time. */
  stop(): Promise<void>;
}

/**
 * created → starting → running → draining → stopping → stopped; a failed start goes from starting
 * to stopping.
 */
export type LifecycleState =
  | 'created'
  | 'starting'
  | 'running'
  | 'draining'
  | 'stopping'
  | 'stopped';

export interface Lifecycle {
  readonly state: LifecycleState;
  /**
   * Starts a service and remembers to drain and stop it.
   *
   * @throws StartInterrupted when stopping has begun meanwhile: what starts now, nobody would stop
   */
  use(name: string, service: Service): Promise<void>;
  /** Remembers to close something that is already open, such as a connection; while stopping, closes it. */
  defer(name: string, close: () => Promise<void> | void): void;
  /** Everything is started. @throws StartInterrupted as `use` does */
  running(): void;
  /**
   * Drains, then stops, both in the reverse of the starting order: outermost first, brokers last.
   * Resolves when all is done or `timeout` ms are over, whichever comes first; never rejects: a
   * failure is logged and the rest goes on. Calling it again gives the same promise.
   */
  stop(timeout: number): Promise<{ clean: boolean }>;
}

/** Not a failure: the process was told to stop before it had started. */
export class StartInterrupted extends Error {
  override readonly name = 'StartInterrupted';
}

interface Entry {
  name: string;
  drain: () => Promise<void>;
  stop: () => Promise<void>;
}

export function createLifecycle(logger: Logger): Lifecycle {
  const entries: Entry[] = [];
  let state: LifecycleState = 'created';
  let stopping: Promise<{ clean: boolean }> | null = null;

  function enter(next: LifecycleState): void {
    logger.debug({ from: state, to: next }, 'lifecycle state changed');
    state = next;
  }

  async function each(phase: 'drain' | 'stop', of = entries): Promise<boolean> {
    let clean = true;
    for (const entry of of.toReversed()) {
      try {
        await entry[phase]();
      } catch (error) {
        clean = false;
        logger.error({ err: error, component: entry.name, phase }, 'component failed to stop');
      }
    }
    return clean;
  }

  async function drainAndStop(): Promise<boolean> {
    enter('draining');
    const drained = await each('drain');
    enter('stopping');
    const stopped = await each('stop');
    enter('stopped');
    return drained && stopped;
  }

  return {
    get state() {
      return state;
    },
    async use(name, service) {
      if (stopping !== null) {
        throw new StartInterrupted(`${name} is not started: the process is stopping`);
      }
      if (state === 'created') {
        enter('starting');
      }
      // Remembered before it starts: a start that fails half way is stopped too.
      entries.push({ name, drain: () => service.drain(), stop: () => service.stop() });
      await service.start();
    },
    defer(name, close) {
      const entry = { name, drain: async () => {}, stop: async () => close() };
      if (stopping === null) {
        entries.push(entry);
      } else {
        void each('stop', [entry]);
      }
    },
    running() {
      if (stopping !== null) {
        throw new StartInterrupted('the process is stopping');
      }
      enter('running');
    },
    stop(timeout) {
      stopping ??= (async () => {
        const late = Promise.withResolvers<boolean>();
        const timer = setTimeout(() => {
          logger.error({ timeout, state }, 'stop deadline reached');
          late.resolve(false);
        }, timeout);
        const clean = await Promise.race([drainAndStop(), late.promise]);
        clearTimeout(timer);
        return { clean };
      })();
      return stopping;
    },
  };
}
