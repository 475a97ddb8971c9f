import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHealth, createLogger, createMetrics, createOperationsApp } from '@bambochat/runtime';
import { expect, test } from 'vitest';
import { type ComposeService, readComposeFile } from './compose-file.fixture.ts';

/* The small programs inside compose.yaml, run as they stand there. */

const { services } = await readComposeFile();
const named = (name: string): ComposeService => {
  const service = services[name];
  if (service === undefined) {
    throw new Error(`compose.yaml has no service ${name}`);
  }
  return service;
};

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bambochat-compose-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** As Docker runs it: `$$` stands for a dollar. */
function run(
  [program = '', ...args]: readonly string[],
  replacing: Readonly<Record<string, string>>,
  env: Record<string, string> = {},
) {
  const replaced = args.map((arg) =>
    Object.entries(replacing).reduce((text, [from, to]) => text.replaceAll(from, to), arg),
  );
  return spawnSync(
    program === 'node' ? process.execPath : program,
    replaced.map((arg) => arg.replaceAll('$$', '$')),
    { encoding: 'utf8', env: { PATH: process.env.PATH ?? '', ...env } },
  );
}

test('the key of the tokens is made once, for everybody to read and nobody to change', async () => {
  await using folder = await temporaryFolder();
  const make = () => run(named('secret').entrypoint ?? [], { '/secret': folder.path });
  expect(make()).toMatchObject({ status: 0, stderr: '' });
  const key = await readFile(join(folder.path, 'jwt'), 'utf8');
  expect(Buffer.from(key, 'base64url')).toHaveLength(48);
  expect((await stat(join(folder.path, 'jwt'))).mode & 0o777).toBe(0o444);
  expect(make().status).toBe(0);
  expect(await readFile(join(folder.path, 'jwt'), 'utf8')).toBe(key);
});

test.each(['socket-gateway', 'history-service', 'directory-service'])(
  '%s gets that key, unless another is given',
  async (name) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'jwt'), 'made-by-secret');
    const start = (given: string) =>
      run(
        named(name).entrypoint ?? [],
        { '/secret': folder.path, 'node src/main.ts': 'printenv JWT_SECRET' },
        { JWT_SECRET: given },
      ).stdout.trim();
    expect(start('')).toBe('made-by-secret');
    expect(start('given')).toBe('given');
    await rm(join(folder.path, 'jwt'));
    expect(run(named(name).entrypoint ?? [], { '/secret': folder.path }).status).not.toBe(0);
  },
);

test.each(
  Object.keys(services).filter((name) => services[name]?.healthcheck?.test?.[1] === 'node'),
)('the health check of %s tells ready from not ready', async (name) => {
  const health = createHealth();
  let ready = true;
  health.addCheck('something', () => (ready ? Promise.resolve() : Promise.reject(new Error())));
  const app = createOperationsApp({
    logger: createLogger({ name: 'test', level: 'silent' }),
    health,
    metrics: createMetrics({ processMetrics: false }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const { environment = {}, healthcheck } = named(name);
  const check = () => {
    const [, ...command] = healthcheck?.test ?? [];
    const ours = { [`http://127.0.0.1:${environment.PORT}`]: url };
    return runAside(command, ours);
  };
  try {
    expect(await check()).toBe(0);
    ready = false;
    expect(await check()).toBe(1);
  } finally {
    await app.close();
  }
  expect(await check()).toBe(1);
});

/** Without stopping this process, which has to answer. */
async function runAside(
  command: readonly string[],
  replacing: Readonly<Record<string, string>>,
): Promise<number | null> {
  const { spawn } = await import('node:child_process');
  const args = command
    .slice(1)
    .map((arg) =>
      Object.entries(replacing).reduce((text, [from, to]) => text.replaceAll(from, to), arg),
    );
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', resolve));
}
