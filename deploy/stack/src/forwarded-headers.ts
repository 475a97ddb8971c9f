import type { IncomingMessage } from 'node:http';

const claims = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

/**
 * Says who the client is, in place of whatever the client says: services trust the edge with this
 * (`TRUST_PROXY`), and rate limits hang on it.
 */
export function setForwardedHeaders(request: IncomingMessage): void {
  const { headers, socket } = request;
  for (const name of claims) {
    delete headers[name];
  }
  headers['x-forwarded-for'] = socket.remoteAddress ?? 'unknown';
  headers['x-forwarded-proto'] = 'http';
  if (headers.host !== undefined) {
    headers['x-forwarded-host'] = headers.host;
  }
}
