import type { ConnectionOptions } from 'nats';

export interface NatsAddress {
  /** What nats.js needs to know to dial: servers and credentials. */
  readonly options: Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls'>;
  /** For logs and errors: without credentials. */
  readonly printable: string;
}

/**
 * Reads `nats://host:port`, `tls://…`, with `user:password@` or `token@`, or several of them
 * separated by commas (one cluster; the credentials of the first that has some count for all).
 *
 * @throws Error for anything else; its message repeats nothing of the URL, which may hold a secret.
 */
export function readNatsUrl(url: string): NatsAddress {
  const parsed = url.split(',').map((part) => parseOne(part.trim()));
  const withUser = parsed.find((one) => one.username !== '');
  const user = withUser ? decodeURIComponent(withUser.username) : undefined;
  const password = withUser?.password ? decodeURIComponent(withUser.password) : undefined;
  const credentials =
    user === undefined ? {} : password === undefined ? { token: user } : { user, pass: password };
  const tls = parsed.some((one) => one.protocol === 'tls:') ? { tls: {} } : {};
  return {
    options: { servers: parsed.map(hostAndPort), ...credentials, ...tls },
    printable: parsed.map((one) => `${one.protocol}//${hostAndPort(one)}`).join(','),
  };
}

function parseOne(part: string): URL {
  const parsed = URL.parse(part);
  if (!parsed || !['nats:', 'tls:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw new Error('The NATS URL must look like nats://host:4222');
  }
  return parsed;
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || '4222'}`;
}
