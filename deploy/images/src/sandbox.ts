import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

interface Sandbox {
  /** Folders that the image has above its base, by their names in `/`. */
  readonly root: string;
  readonly workdir: string;
}

/** Where the folder of this process' `node` is seen, in place of the base image's. */
const NODE = '/node';

/** For a step of a build: the image's folders can be written, as root would. */
export async function buildSandbox({ root, workdir }: Sandbox): Promise<string[]> {
  const cache = join(homedir(), '.npm');
  return [
    await machine(root),
    await folders('--bind', root),
    ['--tmpfs', '/tmp', '--bind-try', cache, cache, '--chdir', workdir],
  ].flat();
}

/**
 * For a container as Kubernetes runs it: process 1, a read-only file system without exception but
 * `volumes` (inside → outside), the user of the image.
 */
export async function containerSandbox(
  options: Sandbox & { readonly user: string; readonly volumes: Readonly<Record<string, string>> },
): Promise<string[]> {
  const [uid = '', gid = ''] = options.user.split(':');
  return [
    await machine(options.root),
    await folders('--ro-bind', options.root),
    Object.entries(options.volumes).flatMap(([inside, outside]) => ['--bind', outside, inside]),
    ['--dir', '/tmp', '--remount-ro', '/', '--chdir', options.workdir],
    ['--as-pid-1', '--uid', uid, '--gid', gid],
  ].flat();
}

/** This machine, to be read, stands for the base image; Node for that of the base image. */
async function machine(root: string): Promise<string[]> {
  const hidden = new Set(['proc', 'dev', 'tmp', ...(await imageFolders(root))]);
  const shown = (await readdir('/')).filter((name) => !hidden.has(name));
  return [
    ['--die-with-parent', '--unshare-all', '--share-net', '--proc', '/proc', '--dev', '/dev'],
    shown.flatMap((name) => ['--ro-bind', join('/', name), join('/', name)]),
    ['--ro-bind', dirname(process.execPath), NODE],
  ].flat();
}

async function folders(kind: '--bind' | '--ro-bind', root: string): Promise<string[]> {
  const names = await imageFolders(root);
  return names.flatMap((name) => [kind, join(root, name), join('/', name)]);
}

/** `/usr` is the machine's: all that is put there is Node. */
async function imageFolders(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name !== 'usr');
}

export function searchPath(env: NodeJS.ProcessEnv): string {
  return `${NODE}:${env.PATH ?? '/usr/bin:/bin'}`;
}
