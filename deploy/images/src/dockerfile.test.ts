import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { obtainTool, startBackends, ToolMissingError } from '@bambochat/testing';
import { expect, type TestContext, test } from 'vitest';
import { ImageBuilder } from './build-image.ts';
import { checkImage } from './check-image.ts';
import { readDockerfile } from './dockerfile.ts';
import { images } from './images.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const path = `${repository}/deploy/Dockerfile`;
const dockerfile = readDockerfile(await readFile(path, 'utf8'));

/** The program of a tool; the test is skipped, with the reason, where it cannot be had. */
async function toolFor(context: TestContext, name: 'hadolint' | 'bwrap'): Promise<string> {
  try {
    return (await obtainTool(name)).file;
  } catch (error) {
    if (error instanceof ToolMissingError) {
      context.skip(error.message);
    }
    throw error;
  }
}

test('hadolint finds nothing', async (context) => {
  const hadolint = await toolFor(context, 'hadolint');
  const { stdout } = await promisify(execFile)(hadolint, ['--no-color', path]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

test('Node is the one that everything is tested with', async () => {
  const lock = JSON.parse(await readFile(`${repository}/package-lock.json`, 'utf8'));
  expect(dockerfile.args.NODE_VERSION).toBe(lock.packages['node_modules/node'].version);
});

test('every image has a target and a package', async () => {
  for (const [name, { target, folder }] of Object.entries(images)) {
    expect(dockerfile.stages.has(target), target).toBe(true);
    const manifest = JSON.parse(await readFile(`${repository}/${folder}/package.json`, 'utf8'));
    expect(manifest.name).toBe(`@bambochat/${name}`);
  }
  expect(dockerfile.last).toBe('service');
});

test('a service runs from its image: read-only, not root, as process 1, only what it needs', async (context) => {
  const bwrap = await toolFor(context, 'bwrap');
  await using backends = await startBackends({ names: ['redis', 'nats'] });
  await using builder = await ImageBuilder.open({ repository, bwrap });
  const { healthyAfter } = await checkImage('socket-gateway', {
    builder,
    bwrap,
    backends: { MONGODB_URL: '', NATS_URL: backends.nats.url, REDIS_URL: backends.redis.url },
  });
  expect(healthyAfter).toBeGreaterThan(0);
}, 240_000);
