import { generateKeyPairSync } from 'node:crypto';
import { type Container, type KubernetesObject, ofKind } from './objects.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

/** What the README says is in each Secret: key → a value as a person would make it. */
export const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'bambochat-backends': {
    'mongodb-url':
      'mongodb+srv://bambochat:x@mongodb.bambochat.svc.cluster.local/bambochat?tls=false',
    'nats-url': 'nats://bambochat:x@nats:4222',
    'redis-url': 'redis://:x@redis:6379',
  },
  'bambochat-token-keys': {
    'private-key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'public-key': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  },
  'bambochat-backend-passwords': {
    nats: 'x',
    'nats-cluster': 'x',
    redis: 'x',
    mongodb: 'x',
    'mongodb-root': 'x',
  },
  'bambochat-load-test': { token: 'x' },
  'bambochat-mongodb-keyfile': { keyfile: 'x' },
  'bambochat-tls': { 'tls.crt': 'x', 'tls.key': 'x' },
};

/** Variables that Node reads, not the services. */
export const runtimeVariables = ['NODE_OPTIONS', 'UV_THREADPOOL_SIZE'];

/**
 * The environment that a container gets: of several settings of one name the last counts, and `env`
 * before `envFrom`.
 *
 * @throws Error that names a ConfigMap, a Secret or a key that is not there
 */
export function environmentOf(
  container: Container,
  objects: readonly KubernetesObject[],
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = ofKind(objects, 'ConfigMap').find(
      ({ metadata }) => metadata.name === configMapRef.name,
    );
    if (map?.data === undefined) {
      throw new Error(`there is no ConfigMap ${configMapRef.name}`);
    }
    Object.assign(found, map.data);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const reference = valueFrom?.secretKeyRef;
    const given = reference === undefined ? value : secrets[reference.name]?.[reference.key];
    if (reference !== undefined && given === undefined) {
      throw new Error(`no Secret ${reference.name} with ${reference.key} is documented`);
    }
    found[name] = given ?? '';
  }
  return found;
}

export function seconds(milliseconds: string | undefined, fallback = 0): number {
  return milliseconds === undefined ? fallback : Number(milliseconds) / 1000;
}
