import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Tool } from '@bambochat/testing';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './objects.ts';

const manifests = fileURLToPath(new URL('../..', import.meta.url));

export const overlays = ['overlays/local', 'overlays/production', 'overlays/production-external'];
export const jobs = ['jobs/migrate', 'jobs/load-test'];

export interface Rendering {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
}

/**
 * What `kubectl apply -k` would send for a folder of k8s/, with secrets made up for the local overlay.
 *
 * @param extra adds a component, as an overlay's user would
 * @throws Error with what kustomize said
 */
export async function render(
  kustomize: Tool,
  folder: string,
  extra: { component?: string } = {},
): Promise<Rendering> {
  const work = await mkdtemp(join(tmpdir(), 'bambochat-manifests-'));
  try {
    const keep = (path: string) =>
      !/node_modules|checks|\.turbo/.test(path.slice(manifests.length));
    await cp(manifests, work, { recursive: true, filter: keep });
    await makeSecrets(join(work, 'overlays', 'local', 'secrets'));
    let chosen = folder;
    if (extra.component !== undefined) {
      chosen = 'overlays/extended';
      await mkdir(join(work, chosen));
      const extended = { resources: [`../../${folder}`], components: [`../../${extra.component}`] };
      await writeFile(join(work, chosen, 'kustomization.yaml'), JSON.stringify(extended));
    }
    const args = [...kustomize.args, join(work, chosen)];
    const { stdout } = await promisify(execFile)(kustomize.file, args, { maxBuffer: 2 ** 24 });
    const objects = parseAllDocuments(stdout).map((document) => document.toJS());
    return { text: stdout, objects: objects as KubernetesObject[] };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As make-secrets.sh does. */
async function makeSecrets(folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await mkdir(folder, { recursive: true });
  const files = {
    'private-key': privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'public-key': publicKey.export({ type: 'spki', format: 'pem' }),
    'backends.env': [
      'mongodb-url=mongodb://mongodb-0.mongodb:27017/bambochat?replicaSet=bambochat',
      'nats-url=nats://nats:4222',
      'redis-url=redis://redis:6379',
    ].join('\n'),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
  }
}
