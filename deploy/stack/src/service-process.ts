import { spawn } from 'node:child_process';
import { labelledLine, levelOf, parseServiceLine, readLines, readyUrl } from './log-lines.ts';
import type { OrphanGuard } from './orphan-guard.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One run of a service, from its ready line until it ends. */
export interface ServiceProcess {
  readonly pid: number;
  /** Where it listens. */
  readonly url: string;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
}

export interface ServiceCommand {
  /** Unique in the stack, as `socket-gateway-1`. */
  readonly name: string;
  /** The service's `main.ts`. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface ServiceSurroundings {
  readonly guard: OrphanGuard;
  /** Gets every line that a service prints, labelled. */
  readonly log: (line: string) => void;
  /** Lines of a lower level are left out. */
  readonly threshold: number;
  /** Ends a start that is no longer wanted. */
  readonly signal: AbortSignal;
  /** Milliseconds until a service must be ready. */
  readonly startTimeout?: number;
}

const START_TIMEOUT = 30_000;
const LAST_LINES = 20;
const LAST_LINE_MAX = 2000;

/**
 * Runs a service with this Node and resolves when it says that it is ready.
 *
 * @throws Error with its last lines when it ends before, does not become ready in time or the start
 *   is aborted; it does not run any more then.
 */
export async function startServiceProcess(
  command: ServiceCommand,
  { guard, log, threshold, signal, startTimeout = START_TIMEOUT }: ServiceSurroundings,
): Promise<ServiceProcess> {
  signal.throwIfAborted();
  const { name } = command;
  const child = spawn(process.execPath, [command.entry], {
    env: command.env,
    // In a process group of its own, so that Ctrl-C reaches the stack only, which knows the order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ready = Promise.withResolvers<string>();
  const exited = Promise.withResolvers<Exit>();
  const lastLines: string[] = [];

  const take = (line: string) => {
    if (levelOf(line) >= threshold) {
      log(labelledLine(name, line));
    }
    if (!settled) {
      lastLines.push(line.slice(0, LAST_LINE_MAX));
      lastLines.splice(0, lastLines.length - LAST_LINES);
      const url = readyUrl(parseServiceLine(line));
      if (url !== null) {
        ready.resolve(url);
      }
    }
  };
  let settled = false;
  readLines(child.stdout, take);
  readLines(child.stderr, take);

  child.once('error', (error) => {
    ready.reject(error);
    exited.resolve({ code: null, signal: null });
  });
  // `close` and not `exit`: only then the last words have come.
  child.once('close', (code, killedBy) => {
    if (child.pid !== undefined) {
      guard.forget(child.pid);
    }
    ready.reject(new Error(`ended with ${describeExit({ code, signal: killedBy })}`));
    exited.resolve({ code, signal: killedBy });
  });
  if (child.pid !== undefined) {
    guard.watch(child.pid);
  }
  const timer = setTimeout(
    () => ready.reject(new Error(`was not ready within ${startTimeout} ms`)),
    startTimeout,
  );
  const abort = () => ready.reject(new Error('is not wanted any more'));
  signal.addEventListener('abort', abort, { once: true });

  try {
    const url = await ready.promise;
    return {
      pid: child.pid ?? 0,
      url,
      exited: exited.promise,
      signal: (which) => void child.kill(which),
    };
  } catch (error) {
    child.kill('SIGKILL');
    await exited.promise;
    const reason = error instanceof Error ? error.message : String(error);
    const words =
      lastLines.length === 0 ? ' It printed nothing.' : ` Its last lines:\n${lastLines.join('\n')}`;
    throw new Error(`${name} ${reason}.${words}`, { cause: error });
  } finally {
    settled = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit status ${code}` : `signal ${signal}`;
}
