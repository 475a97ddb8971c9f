import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendName } from './backend.ts';
import { findProgram } from './find-program.ts';
import { goBinFolder, secantus, secantusFolder, secantusMarker } from './install-server.ts';
import type { LocalServer } from './local-backend.ts';
import { initiateReplicaSet } from './replica-set.ts';

/** The server to run for a back end out of what is installed, or undefined. */
export async function findLocalServer(
  name: BackendName,
  env: NodeJS.ProcessEnv,
): Promise<LocalServer | undefined> {
  switch (name) {
    case 'redis': {
      const file = await findProgram('redis-server', env);
      return file ? redisServer(file) : undefined;
    }
    case 'nats': {
      const file = await findProgram('nats-server', env, [goBinFolder(env)]);
      return file ? natsServer(file) : undefined;
    }
    case 'mongodb': {
      const mongod = await findProgram('mongod', env);
      if (mongod) {
        return mongodServer(mongod);
      }
      const folders = existsSync(secantusMarker(env)) ? [join(secantusFolder(env), 'bin')] : [];
      const file = await findProgram(secantus.program, env, folders);
      return file ? secantusServer(file) : undefined;
    }
  }
}

function redisServer(file: string): LocalServer {
  return {
    name: 'redis',
    source: `redis: local binary ${file}`,
    url: (port) => `redis://127.0.0.1:${port}`,
    // No snapshot and no log: Redis holds only what can be rebuilt, and tests must see that.
    command: (port, folder) => ({
      file,
      args: [
        ['--bind', '127.0.0.1'],
        ['--port', String(port)],
        ['--dir', folder],
        ['--save', ''],
        ['--appendonly', 'no'],
        ['--daemonize', 'no'],
      ].flat(),
    }),
  };
}

function natsServer(file: string): LocalServer {
  return {
    name: 'nats',
    source: `nats: local binary ${file}, JetStream on files`,
    url: (port) => `nats://127.0.0.1:${port}`,
    command: (port, folder) => ({
      file,
      args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder],
    }),
  };
}

function mongodServer(file: string): LocalServer {
  return {
    name: 'mongodb',
    source: `mongodb: local binary ${file}, as a replica set of one`,
    url: mongodbUrl,
    command: (port, folder) => ({
      file,
      args: [
        ['--bind_ip', '127.0.0.1'],
        ['--port', String(port)],
        ['--dbpath', folder],
        ['--replSet', 'bambochat'],
      ].flat(),
    }),
    onAnswer: (port) => initiateReplicaSet(mongodbUrl(port), `127.0.0.1:${port}`),
  };
}

function secantusServer(file: string): LocalServer {
  return {
    name: 'mongodb',
    source: `mongodb: no MongoDB here, so the MongoDB-protocol server SecantusDB, ${file}`,
    url: mongodbUrl,
    // Without --sync-on-commit a write with {j: true} is acknowledged before it is on the disk.
    command: (port, folder) => ({
      file,
      args: [
        ['--host', '127.0.0.1'],
        ['--port', String(port)],
        ['--storage-path', folder],
        ['--log-level', 'WARNING'],
        ['--sync-on-commit'],
      ].flat(),
    }),
  };
}

/** A direct connection: the address that the server knows itself by need not be reachable. */
function mongodbUrl(port: number): string {
  return `mongodb://127.0.0.1:${port}/?directConnection=true`;
}
