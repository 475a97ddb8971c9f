import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@bambochat/testing';

/** A server under measurement, in a process of its own. */
export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

export interface ServerOptions {
  readonly redisUrl: string;
  readonly natsUrl: string;
  readonly secret: string;
  /** Collects garbage on SIGUSR2. */
  readonly collectsGarbage?: boolean;
  /** A folder for a CPU profile of the process, written when it ends. */
  readonly profileTo?: string | undefined;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const gatewayMain = here('../../../socket-gateway/src/main.ts');

/** Before every channel of the plain servers, so that the two kinds do not hear each other. */
export const PLAIN_PREFIX = 'plain';

/** The socket-gateway as it is deployed. */
export async function startGateway(options: ServerOptions): Promise<Server> {
  const port = await freePort();
  const child = spawn(process.execPath, [...nodeOptions(options), gatewayMain], {
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'error',
      JWT_SECRET: options.secret,
      REDIS_URL: options.redisUrl,
      NATS_URL: options.natsUrl,
      CONNECTIONS_PER_ADDRESS_MAX: '1000000',
      HANDSHAKES_WAITING: '100000',
      STOP_TIMEOUT: '4000',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const server = serverOf(child, url);
  try {
    await waitFor(
      async () =>
        child.exitCode !== null || (await fetch(`${url}/readyz`).catch(() => null))?.ok === true,
      { timeout: 20_000, describe: 'the gateway to be ready' },
    );
    if (child.exitCode !== null) {
      throw new Error(`The gateway has ended with status ${child.exitCode}`);
    }
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

export async function startPlainServer(options: ServerOptions): Promise<Server> {
  const { server } = await startScript('plain-server.ts', nodeOptions(options), {
    REDIS_URL: options.redisUrl,
    JWT_SECRET: options.secret,
    CHANNEL_PREFIX: PLAIN_PREFIX,
  });
  return server;
}

/** Bare TCP connections; `broadcast` writes one frame of so many bytes to some. */
export async function startFloor(
  frameBytes: number,
): Promise<Server & { readonly port: number; broadcast(first: number, count: number): void }> {
  const { server, port, child } = await startScript('floor-server.ts', [], {
    FRAME_BYTES: String(frameBytes),
  });
  return { ...server, port, broadcast: (first, count) => void child.send({ first, count }) };
}

function nodeOptions({ collectsGarbage = false, profileTo }: ServerOptions): string[] {
  return [
    '--no-warnings',
    ...(collectsGarbage ? ['--expose-gc', '--import', here('collect-garbage.ts')] : []),
    ...(profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`]),
  ];
}

async function startScript(file: string, execArgv: string[], env: Record<string, string>) {
  const child = fork(here(file), {
    execArgv: ['--no-warnings', ...execArgv],
    env: { ...process.env, ...env },
  });
  const [{ port }] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`${file} has ended`);
    }),
  ]);
  return { server: serverOf(child, `http://127.0.0.1:${port}`), port: Number(port), child };
}

function serverOf(child: ChildProcess, url: string): Server {
  return {
    url,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await ended;
        clearTimeout(late);
      }
    },
  };
}
