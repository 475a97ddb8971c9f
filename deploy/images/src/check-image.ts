import { generateKeyPairSync } from 'node:crypto';
import { freePort, waitFor } from '@bambochat/testing';
import type { ImageBuilder } from './build-image.ts';
import { images } from './images.ts';
import { type Container, runImage } from './run-image.ts';

export interface CheckedImage {
  /** A folder with what is above the base image, Node included. */
  readonly root: string;
  /** Milliseconds until its health check passed; null: it is no server. */
  readonly healthyAfter: number | null;
}

/** Addresses of back ends, as the services read them. */
export type BackendAddresses = Readonly<Record<'MONGODB_URL' | 'NATS_URL' | 'REDIS_URL', string>>;

/**
 * Builds an image and runs it as a container: a server must pass its health check and be ready,
 * and end with status 0 on SIGTERM; a tool must print its usage.
 *
 * @throws Error with what it printed
 */
export async function checkImage(
  name: string,
  options: { builder: ImageBuilder; bwrap: string; backends: BackendAddresses },
): Promise<CheckedImage> {
  const { builder, bwrap, backends } = options;
  const recipe = images[name];
  if (recipe === undefined) {
    throw new Error(`there is no image ${name}`);
  }
  const image = await builder.build(recipe.target, name);
  const { root } = image;
  const port = await freePort();
  const env = {
    ...backends,
    ...tokenKeys(),
    // Of this machine only; in a container the image's own 0.0.0.0 stays.
    HOST: '127.0.0.1',
    PORT: String(port),
  };
  await using container = await runImage({ image, bwrap, env });
  if (recipe.target === 'tool') {
    await expectStatus(container, name, await container.ended);
    if (!container.output().includes('Usage: npm run')) {
      throw new Error(`${name} printed no usage:\n${container.output()}`);
    }
    return { root, healthyAfter: null };
  }
  const begun = performance.now();
  const answers = async () =>
    (await container.isHealthy()) && (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  try {
    await waitFor(answers, { timeout: 30_000, describe: `${name} to be healthy and ready` });
  } catch (error) {
    throw new Error(`${name} printed:\n${container.output()}`, { cause: error });
  }
  const healthyAfter = performance.now() - begun;
  await expectStatus(container, name, await container.stop());
  return { root, healthyAfter };
}

async function expectStatus(
  container: Container,
  name: string,
  status: number | null,
): Promise<void> {
  if (status !== 0) {
    throw new Error(`${name} ended with ${status}:\n${container.output()}`);
  }
}

function tokenKeys(): Record<string, string> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    JWT_ALGORITHM: 'EdDSA',
    JWT_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}
