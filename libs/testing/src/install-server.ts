import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from './backend.ts';
import { urlVariables } from './backend.ts';
import { findProgram } from './find-program.ts';
import { createPythonEnvironment, environmentMarker } from './python-environment.ts';
import { runProgram } from './run-program.ts';

const installTime = 600_000;

/** The MongoDB-protocol server of machines that have no MongoDB; the README says why this one. */
export const secantus = { package: 'secantusdb', version: '0.7.0b3', program: 'secantusd-py' };

const natsModule = 'github.com/nats-io/nats-server/v2@v2.12.3';

/** Where installed servers are kept: `$BAMBOCHAT_CACHE`, else `~/.cache/bambochat`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env.BAMBOCHAT_CACHE || join(env.HOME || homedir(), '.cache', 'bambochat');
}

/** Programs that were installed by `go install`. */
export function goBinFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'bin');
}

/** The virtual environment of SecantusDB; the version is in its name, so that a new one is new. */
export function secantusFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `${secantus.package}-${secantus.version}`);
}

/** The file that tells a finished installation from an interrupted one. */
export function secantusMarker(env: NodeJS.ProcessEnv): string {
  return environmentMarker(secantusFolder(env));
}

/** A way to install a program; gives undefined when this machine does not offer it. */
export type Installer = (
  env: NodeJS.ProcessEnv,
  announce: (line: string) => void,
) => Promise<true | undefined>;

const installers: Readonly<Record<BackendName, readonly Installer[]>> = {
  redis: [debianPackages('redis-server')],
  nats: [debianPackages('nats-server'), goProgram(natsModule)],
  mongodb: [secantusFromPypi],
};

/**
 * Installs a server by the first way that this machine allows. Call it inside the install lock.
 *
 * @throws Error that says what a person can do, with what was tried.
 */
export async function installServer(
  name: BackendName,
  env: NodeJS.ProcessEnv,
  announce: (line: string) => void,
): Promise<void> {
  const failures: string[] = [];
  for (const install of installers[name]) {
    try {
      if (await install(env, announce)) {
        return;
      }
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`${advice(name)}${failures.map((failure) => `\n\nTried: ${failure}`).join('')}`);
}

function advice(name: BackendName): string {
  const packages = {
    redis: 'install redis-server (7 or newer)',
    nats: 'install nats-server (2.9 or newer)',
    mongodb: 'install mongod (7 or newer), or Python 3.10 to 3.13 with its venv module',
  };
  return (
    `No ${name} server can be had on this machine by itself. One of these helps: ` +
    `set ${urlVariables[name]} to a running server, start Docker, ${packages[name]}` +
    ', or run this once as root on Debian.'
  );
}

export function debianPackages(...packages: string[]): Installer {
  return async (env, announce) => {
    const aptGet = await findProgram('apt-get', env);
    if (!aptGet || process.getuid?.() !== 0) {
      return undefined;
    }
    announce(`installing the Debian package ${packages.join(', ')} with apt-get …`);
    const options = {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: installTime,
    };
    const install = [
      ['-o', 'DPkg::Lock::Timeout=300'],
      ['install', '--yes', '--no-install-recommends'],
      packages,
    ].flat();
    // A machine whose lists are fresh saves the update; one without lists fails here at once.
    try {
      await runProgram(aptGet, install, options);
    } catch {
      await runProgram(aptGet, ['-o', 'DPkg::Lock::Timeout=300', 'update'], options);
      await runProgram(aptGet, install, options);
    }
    return true;
  };
}

export function goProgram(module: string): Installer {
  return async (env, announce) => {
    const go = await findProgram('go', env);
    if (!go) {
      return undefined;
    }
    announce(`building ${module} with the Go toolchain …`);
    const folder = goBinFolder(env);
    await mkdir(folder, { recursive: true });
    await runProgram(go, ['install', module], {
      env: { ...env, GOBIN: folder },
      timeout: installTime,
    });
    return true;
  };
}

async function secantusFromPypi(
  env: NodeJS.ProcessEnv,
  announce: (line: string) => void,
): Promise<true | undefined> {
  if (!(await findProgram('python3', env))) {
    await debianPackages('python3', 'python3-venv')(env, announce);
  }
  const python = await findProgram('python3', env);
  if (!python) {
    return undefined;
  }
  announce(`installing ${secantus.package} ${secantus.version} from PyPI into the cache folder …`);
  await createPythonEnvironment({
    python,
    folder: secantusFolder(env),
    packages: [`${secantus.package}==${secantus.version}`],
    env,
    addVenvModule: async () => (await debianPackages('python3-venv')(env, announce)) === true,
  });
  return true;
}
