import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Image } from './build-image.ts';
import { containerSandbox, searchPath } from './sandbox.ts';

export interface Container extends AsyncDisposable {
  /** Runs the image's health check beside it. */
  isHealthy(): Promise<boolean>;
  /** SIGTERM to process 1, as Docker and the kubelet send it; gives the exit status. */
  stop(): Promise<number | null>;
  /** The exit status, once it ends by itself. */
  readonly ended: Promise<number | null>;
  /** What it printed, at most the last 64 KiB. */
  output(): string;
}

/**
 * Runs an image as a container of the restricted kind: read-only, not root, and process 1.
 *
 * @param options.args take the place of CMD
 */
export async function runImage(options: {
  image: Image;
  bwrap: string;
  env?: Readonly<Record<string, string>>;
  args?: readonly string[];
}): Promise<Container> {
  const { image, bwrap } = options;
  if (image.user === null) {
    throw new Error('the image runs as root');
  }
  const user = image.user;
  const volumes: Record<string, string> = {};
  for (const path of image.volumes) {
    if (image.owners[path] !== user) {
      throw new Error(`${path} does not belong to the user of the image`);
    }
    // Ours outside is the image's user inside.
    volumes[path] = await mkdtemp(join(tmpdir(), 'bambochat-volume-'));
  }
  const sandbox = await containerSandbox({ ...image, user, volumes });
  const env = { ...image.env, ...options.env, PATH: searchPath({}) };
  const command = [...image.entrypoint, ...(options.args ?? image.cmd)];
  const child = spawn(bwrap, [...sandbox, ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = lastOutputOf(child);
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('exit', resolve);
  return {
    ended,
    output,
    async isHealthy() {
      try {
        await promisify(execFile)(bwrap, [...sandbox, ...image.healthcheck], { env });
        return true;
      } catch {
        return false;
      }
    },
    async stop() {
      // bubblewrap passes no signals on; its one child is process 1.
      const { stdout } = await promisify(execFile)('pgrep', ['-P', String(child.pid)]);
      process.kill(Number(stdout), 'SIGTERM');
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await Promise.all(
        Object.values(volumes).map((path) => rm(path, { recursive: true, force: true })),
      );
    },
  };
}

function lastOutputOf(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-65_536);
    });
  }
  return () => text;
}
