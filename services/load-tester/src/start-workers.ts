import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Meeting } from './worker-connection.ts';

/** What a worker knows before it is told anything; in `LOAD_WORKER`, as JSON. */
export interface WorkerSettings {
  readonly meeting: Meeting;
  /** Signs access tokens. Each machine has its own copy: it does not travel. */
  readonly secret: string | null;
}

/** Processes of this machine that hold sockets and are told what to do by the coordinator. */
export interface LocalWorkers extends Disposable {
  /** Their exit statuses, when all have ended. */
  readonly ended: Promise<number[]>;
}

export function startWorkers(
  count: number,
  settings: WorkerSettings,
  onFailure: (what: string) => void = () => {},
): LocalWorkers {
  const children = Array.from({ length: count }, () =>
    fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
      execArgv: ['--no-warnings'],
      // Not on the command line, where every user of the machine reads it.
      env: { ...process.env, LOAD_WORKER: JSON.stringify(settings) },
    }),
  );
  const ended = children.map((child) => endOf(child, onFailure));
  return {
    ended: Promise.all(ended),
    [Symbol.dispose]() {
      for (const child of children) {
        child.kill('SIGKILL');
      }
    },
  };
}

function endOf(child: ChildProcess, onFailure: (what: string) => void): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      if (code !== 0) {
        onFailure(`The process ${child.pid} that holds sockets has ended (${signal ?? code})`);
      }
      resolve(code ?? 1);
    });
  });
}
