import type { Backend, BackendName } from './backend.ts';
import { backendNames, urlVariables } from './backend.ts';
import { hasContainerEngine, startDockerBackend } from './docker-backend.ts';
import { useExternalBackend } from './external-backend.ts';
import { withInstallLock } from './install-lock.ts';
import { cacheFolder, installServer } from './install-server.ts';
import type { LocalServer } from './local-backend.ts';
import { startLocalBackend } from './local-backend.ts';
import { findLocalServer } from './local-servers.ts';

export interface StartOptions<Name extends BackendName = BackendName> {
  /** Which back ends; all three when absent. */
  readonly names?: readonly Name[];
  /** Keep each server's data in `<dataDir>/<name>`; absent: temporary, removed by `stop()`. */
  readonly dataDir?: string;
  /** Gets one line for each choice and for each step of an installation. Default: silent. */
  readonly announce?: (line: string) => void;
  /** Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Never use a server given by URL: for tests that kill, restart or pause it. */
  readonly own?: boolean;
}

export type Backends<Name extends BackendName = BackendName> = {
  readonly [K in Name]: Backend;
} & AsyncDisposable & {
    /** Stops all of them; can be called again. */
    stop(): Promise<void>;
  };

/**
 * Starts real back ends, or takes those that the environment names. The order of choice is in the
 * README. Resolves when all of them answer.
 *
 * @throws Error when one cannot be had or does not start; the others are stopped before.
 */
export async function startBackends<const Name extends BackendName = BackendName>(
  options: StartOptions<Name> = {},
): Promise<Backends<Name>> {
  const names: readonly BackendName[] = options.names ?? backendNames;
  const outcomes = await Promise.allSettled(
    names.map(async (name) => {
      const backend = await startBackend(name, options);
      options.announce?.(backend.source);
      return backend;
    }),
  );
  const started = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  );
  const stop = async () => {
    await Promise.all(started.map((backend) => backend.stop()));
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const byName = Object.fromEntries(started.map((backend) => [backend.name, backend])) as {
    readonly [K in Name]: Backend;
  };
  return { ...byName, stop, [Symbol.asyncDispose]: stop };
}

async function startBackend(name: BackendName, options: StartOptions): Promise<Backend> {
  const env = options.env ?? process.env;
  const announce = options.announce ?? (() => {});
  const url = env[urlVariables[name]];
  if (url && !options.own) {
    return useExternalBackend(name, url);
  }
  if (await hasContainerEngine(env)) {
    try {
      return await startDockerBackend(name, options.dataDir);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      announce(`${name}: Docker answers but cannot run it (${reason}); trying local programs`);
    }
  }
  return startLocalBackend(await obtainLocalServer(name, env, announce), options.dataDir);
}

/**
 * The server that is installed on this machine, else installs one where the machine allows it.
 *
 * @throws Error that says what a person can do.
 */
export async function obtainLocalServer(
  name: BackendName,
  env: NodeJS.ProcessEnv,
  announce: (line: string) => void,
): Promise<LocalServer> {
  const installed = await findLocalServer(name, env);
  if (installed) {
    return installed;
  }
  return withInstallLock(cacheFolder(env), async () => {
    // Another process may have installed it while this one waited for the lock.
    if (!(await findLocalServer(name, env))) {
      await installServer(name, env, (line) => announce(`${name}: ${line}`));
    }
    const server = await findLocalServer(name, env);
    if (!server) {
      throw new Error(`${name} was installed but its program cannot be found`);
    }
    return server;
  });
}
