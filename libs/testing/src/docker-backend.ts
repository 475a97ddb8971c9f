import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Backend, BackendName } from './backend.ts';
import { freePort } from './free-port.ts';
import { probeReady } from './readiness.ts';
import { initiateReplicaSet } from './replica-set.ts';
import { waitFor } from './wait-for.ts';

const startTime = 60_000;

interface Image {
  readonly image: string;
  readonly port: number;
  readonly dataFolder: string;
  readonly command: readonly string[];
  url(port: number): string;
}

const images: Readonly<Record<BackendName, Image>> = {
  mongodb: {
    image: 'mongo:8',
    port: 27017,
    dataFolder: '/data/db',
    command: ['mongod', '--replSet', 'bambochat', '--bind_ip_all'],
    url: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true`,
  },
  redis: {
    image: 'redis:7',
    port: 6379,
    dataFolder: '/data',
    command: ['redis-server', '--save', '', '--appendonly', 'no'],
    url: (port) => `redis://127.0.0.1:${port}`,
  },
  nats: {
    image: 'nats:2',
    port: 4222,
    dataFolder: '/data',
    command: ['-js', '-sd', '/data'],
    url: (port) => `nats://127.0.0.1:${port}`,
  },
};

/**
 * Whether a container engine answers. Testcontainers, which takes a second to load, is loaded only
 * when there is a sign of an engine.
 */
export async function hasContainerEngine(env: NodeJS.ProcessEnv): Promise<boolean> {
  if (!(await seesEngine(env))) {
    return false;
  }
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

async function seesEngine(env: NodeJS.ProcessEnv): Promise<boolean> {
  if (env.DOCKER_HOST) {
    return true;
  }
  const home = env.HOME || homedir();
  const signs = [
    '/var/run/docker.sock',
    join(env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.() ?? 0}`, 'docker.sock'),
    join(home, '.docker', 'run', 'docker.sock'),
    join(home, '.docker', 'desktop', 'docker.sock'),
    join(home, '.testcontainers.properties'),
  ];
  const found = await Promise.all(
    signs.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Starts the back end as a container on a fixed port of 127.0.0.1, so that it keeps its address
 * over a restart. Testcontainers removes the container even when this process is killed.
 *
 * @throws Error when the image cannot be had or the server does not answer within 60 s.
 */
export async function startDockerBackend(name: BackendName, dataDir?: string): Promise<Backend> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const { image, port: innerPort, dataFolder, command, url } = images[name];
  const port = await freePort();

  class LoopbackContainer extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      // Testcontainers has no option for the address and would listen on every one.
      this.hostConfig.PortBindings = {
        [`${innerPort}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(port) }],
      };
    }
  }

  const description = new LoopbackContainer(image)
    .withCommand([...command])
    .withExposedPorts({ container: innerPort, host: port });
  if (dataDir) {
    const source = join(dataDir, name);
    await mkdir(source, { recursive: true });
    description.withBindMounts([{ source, target: dataFolder }]);
  }
  const started = await description.start();
  const runtime = await getContainerRuntimeClient();
  const container = runtime.container.getById(started.getId());

  const answer = () =>
    waitFor(
      async () => {
        if (name === 'mongodb') {
          await initiateReplicaSet(url(port), `127.0.0.1:${innerPort}`);
        }
        return probeReady(name, url(port));
      },
      { timeout: startTime, interval: 100, describe: `${name} in Docker to answer` },
    );
  const backend: Backend = {
    name,
    url: url(port),
    pid: null,
    source: `${name}: Docker image ${image}`,
    kill: async () => {
      const { State } = await container.inspect();
      if (State.Running) {
        await container.kill();
        await container.wait();
      }
    },
    restart: async () => {
      const { State } = await container.inspect();
      await (State.Running ? container.restart() : container.start());
      await answer();
    },
    pause: async () => {
      await container.pause();
    },
    resume: async () => {
      await container.unpause();
    },
    stop: async () => {
      await started.stop();
    },
  };
  try {
    await answer();
    return backend;
  } catch (error) {
    await backend.stop();
    throw error;
  }
}
