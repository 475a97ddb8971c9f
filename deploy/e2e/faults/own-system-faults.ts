import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Backend, startBackends, waitFor } from '@bambochat/testing';
import { startStackOn } from '../src/stack-target.ts';
import { type Fault, FaultSkipped, type System } from './fault.ts';
import { elapsed, stackOf } from './fault-steps.ts';
import { stackSystem, startStandaloneSystem } from './systems.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const run = promisify(execFile);

const LATENCY = 2000;
const LATENCY_LASTS = 30_000;
const HOUR = 3_600_000;
const DISK_BYTES = 24 * 1024 * 1024;

let mongoProxy: TcpProxy | null = null;

/** Every service reaches MongoDB through a proxy. */
async function startSlowMongoSystem(): Promise<System> {
  const backends = await startBackends({ own: true });
  const address = new URL(backends.mongodb.url);
  const proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
  mongoProxy = proxy;
  address.port = String(proxy.port);
  const end = async () => {
    await proxy[Symbol.asyncDispose]();
    await backends.stop();
  };
  try {
    const mongodb = behind(backends.mongodb, address.href);
    return stackSystem(await startStackOn({ ...backends, mongodb }, { restart: true }, end));
  } catch (error) {
    await end();
    throw error;
  }
}

/** The same server at another address. */
function behind(backend: Backend, url: string): Backend {
  return {
    name: backend.name,
    source: backend.source,
    url,
    get pid() {
      return backend.pid;
    },
    kill: () => backend.kill(),
    restart: () => backend.restart(),
    pause: () => backend.pause(),
    resume: () => backend.resume(),
    stop: () => backend.stop(),
  };
}

const slowMongo: Fault = {
  id: 9,
  name: 'MongoDB answers 2 s late, for 30 s',
  system: { start: startSlowMongoSystem },
  everySendCounts: true,
  async run({ load, evidence, healed }) {
    const proxy = mongoProxy;
    if (proxy === null) {
      throw new Error('MongoDB is not behind the proxy');
    }
    const before = load.confirmed;
    const piecesBefore = proxy.delayed;
    proxy.delayOf = (direction) => (direction === 'answer' ? LATENCY : 0);
    try {
      await elapsed(LATENCY_LASTS);
    } finally {
      proxy.delayOf = () => 0;
    }
    healed();
    evidence(
      `${proxy.delayed - piecesBefore} answers came ${LATENCY} ms late; ${load.confirmed - before} messages were confirmed meanwhile`,
    );
  },
};

let disk = '';

/** Standalone on a file system of its own, that is small. */
async function startSmallDiskSystem(): Promise<System> {
  disk = await mkdtemp(join(tmpdir(), 'bambochat-disk-'));
  const unmount = async () => {
    await run('umount', [disk]);
    await rmdir(disk);
  };
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]);
  } catch (error) {
    await rmdir(disk);
    throw new FaultSkipped('a tmpfs cannot be mounted here (needs root)', { cause: error });
  }
  try {
    const system = await startStandaloneSystem(disk);
    return {
      ...system,
      async [Symbol.asyncDispose]() {
        await system[Symbol.asyncDispose]();
        await unmount();
      },
    };
  } catch (error) {
    await unmount();
    throw error;
  }
}

const diskFull: Fault = {
  id: 16,
  name: 'disk full under standalone, for 15 s',
  system: { start: startSmallDiskSystem },
  async run({ load, evidence, healed }) {
    const ballast = join(disk, 'ballast');
    const { bavail, bsize } = await statfs(disk);
    await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch((error: { code?: string }) => {
      // The last bytes went to the messages meanwhile: full all the same.
      if (error.code !== 'ENOSPC') {
        throw error;
      }
    });
    try {
      const stillIn = 5000;
      let confirmed = load.confirmed;
      let quietSince = performance.now();
      await waitFor(
        () => {
          if (load.confirmed > confirmed) {
            confirmed = load.confirmed;
            quietSince = performance.now();
          }
          return performance.now() - quietSince > stillIn;
        },
        { describe: 'nothing to be confirmed for 5 s', timeout: 60_000, interval: 50 },
      );
      const sent = load.sent;
      await elapsed(10_000);
      evidence(
        `${load.sent - sent} messages were sent and ${load.confirmed - confirmed} confirmed in 10 s without a free byte`,
      );
    } finally {
      await rm(ballast, { force: true });
    }
    healed();
  },
};

/** Where Debian and others put it. */
const fakeTimeLibraries = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/faketime/libfaketime.so.1',
];

async function fakeTimeLibrary(): Promise<string> {
  for (const path of fakeTimeLibraries) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    ) {
      return path;
    }
  }
  throw new FaultSkipped('libfaketime is not installed');
}

const skewedClocks: Fault = {
  id: 17,
  name: 'clocks of two writers an hour fast and an hour slow',
  system: 'stack',
  everySendCounts: true,
  async run(context) {
    const { system, load, evidence, healed } = context;
    const library = await fakeTimeLibrary();
    for (const offset of ['+1h', '-1h']) {
      await system.startMember('message-service', {
        LD_PRELOAD: library,
        FAKETIME: offset,
        // Timers go on as they should: only the time of day is wrong.
        DONT_FAKE_MONOTONIC: '1',
      });
    }
    healed();
    const offsets = () =>
      load.clients.flatMap(({ attempts }) =>
        attempts.flatMap(({ message, at }) =>
          message === null ? [] : [(Date.parse(message.createdAt) - at) / HOUR],
        ),
      );
    const count = (hours: number) =>
      offsets().filter((offset) => Math.abs(offset - hours) < 0.2).length;
    await waitFor(() => [-1, 0, 1].every((hours) => count(hours) >= 50), {
      describe: 'messages written by the right, the fast and the slow clock',
      timeout: 60_000,
      interval: 250,
    });
    evidence(
      `${count(1)} messages were dated an hour ahead, ${count(-1)} an hour back, ${count(0)} rightly; ${stackOf(context).messageServices.length} writers had the right time`,
    );
  },
};

export const ownSystemFaults: readonly Fault[] = [slowMongo, diskFull, skewedClocks];
