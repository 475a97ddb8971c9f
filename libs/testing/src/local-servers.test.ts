import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { secantus, secantusFolder, secantusMarker } from './install-server.ts';
import type { LocalServer } from './local-backend.ts';
import { startLocalBackend } from './local-backend.ts';
import { findLocalServer } from './local-servers.ts';
import { obtainLocalServer } from './start-backends.ts';

/** A machine of its own: a PATH with the given shell scripts and an empty cache folder. */
async function machine(scripts: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), 'bambochat-test-'));
  const env = { ...process.env, PATH: join(root, 'bin'), BAMBOCHAT_CACHE: join(root, 'cache') };
  const addProgram = async (file: string, script: string) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  };
  for (const [name, script] of Object.entries(scripts)) {
    await addProgram(join(root, 'bin', name), script);
  }
  return {
    env,
    addProgram,
    path: (name: string) => join(root, 'bin', name),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test('mongod on PATH comes before SecantusDB in the cache folder', async () => {
  await using box = await machine({ mongod: '' });
  await box.addProgram(join(secantusFolder(box.env), 'bin', secantus.program), '');
  await writeFile(secantusMarker(box.env), '');
  const server = await findLocalServer('mongodb', box.env);
  expect(server?.source).toContain(box.path('mongod'));
  expect(server?.command(1234, '/data').args).toEqual(
    expect.arrayContaining(['--bind_ip', '127.0.0.1', '--port', '1234', '--replSet']),
  );
});

test('an installation that was interrupted is not used', async () => {
  await using box = await machine({});
  const program = join(secantusFolder(box.env), 'bin', secantus.program);
  await box.addProgram(program, '');
  const before = await findLocalServer('mongodb', box.env);
  await writeFile(secantusMarker(box.env), '');
  const after = await findLocalServer('mongodb', box.env);
  expect(before?.source ?? '').not.toContain(program);
  if (!after?.source.includes('mongod,')) {
    expect(after?.source).toContain(program);
  }
});

test('programs on PATH come first, and serve the loopback address only', async () => {
  await using box = await machine({ 'redis-server': '', 'nats-server': '' });
  const redis = await findLocalServer('redis', box.env);
  const nats = await findLocalServer('nats', box.env);
  expect(redis?.command(1, '/data')).toMatchObject({
    file: box.path('redis-server'),
    args: expect.arrayContaining(['--bind', '127.0.0.1']),
  });
  expect(nats?.command(1, '/data')).toMatchObject({
    file: box.path('nats-server'),
    args: expect.arrayContaining(['--addr', '127.0.0.1']),
  });
});

test('where nothing can be installed the error says what helps and what was tried', async (context) => {
  const failing = 'echo "no network here" >&2; exit 1';
  await using box = await machine({ python3: failing, 'apt-get': failing });
  const lines: string[] = [];
  const env = { ...box.env };
  if (await findLocalServer('mongodb', env)) {
    context.skip('a MongoDB in the system folders: there is nothing to install');
  }
  const obtaining = obtainLocalServer('mongodb', env, (line) => lines.push(line));
  await expect(obtaining).rejects.toThrow(
    /set MONGODB_URL to a running server, start Docker, install mongod.*no network here/s,
  );
  expect(lines[0]).toContain(`mongodb: installing ${secantus.package} ${secantus.version}`);
});

test('a server that does not come up gives its output in the error', async () => {
  const server: LocalServer = {
    name: 'redis',
    source: 'redis: a broken program',
    url: (port) => `redis://127.0.0.1:${port}`,
    command: () => ({ file: '/bin/sh', args: ['-c', 'echo "bad configuration"; exit 3'] }),
  };
  await expect(startLocalBackend(server)).rejects.toThrow(
    /a broken program did not start.*bad configuration/s,
  );
});

test('a program that does not exist gives an error that names it', async () => {
  const server: LocalServer = {
    name: 'redis',
    source: 'redis: nothing',
    url: (port) => `redis://127.0.0.1:${port}`,
    command: () => ({ file: '/nowhere/redis-server', args: [] }),
  };
  await expect(startLocalBackend(server)).rejects.toThrow('/nowhere/redis-server ENOENT');
});

test('a port that was lost to somebody else is given up for another one', async (context) => {
  const ports: number[] = [];
  const real = await findLocalServer('redis', process.env);
  if (!real) {
    return context.skip('no redis-server on this machine');
  }
  const unlucky: LocalServer = {
    ...real,
    command: (port, folder) => {
      ports.push(port);
      return ports.length === 1
        ? { file: '/bin/sh', args: ['-c', 'echo "bind: Address already in use"; exit 1'] }
        : real.command(port, folder);
    },
  };
  const backend = await startLocalBackend(unlucky);
  await backend.stop();
  expect(ports).toHaveLength(2);
  expect(backend.url).toBe(unlucky.url(ports[1] ?? 0));
});
