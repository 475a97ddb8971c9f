import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * Behaves like a service, or misbehaves as BEHAVIOUR says:
 *   (nothing)  ready, and ends on SIGTERM
 *   refuse     ends at once with words on standard error
 *   silent     runs and never becomes ready
 *   stubborn   ready, and does not mind SIGTERM
 *   mortal     ready, and ends by itself
 */
const behaviour = process.env.BEHAVIOUR;

if (behaviour === 'refuse') {
  process.stderr.write(
    'fixture does not start. The configuration is wrong:\n  SECRET: is required\n',
  );
  process.exit(78);
}
process.on('SIGTERM', () => {
  if (behaviour !== 'stubborn') {
    log(30, { msg: 'service stopped' });
    process.exit(0);
  }
});
const server = createServer((_request, response) => response.end(String(process.pid)));
server.listen(0, '127.0.0.1', () => {
  log(20, { msg: 'a detail' });
  if (behaviour !== 'silent') {
    const { port } = server.address() as AddressInfo;
    log(30, { url: `http://127.0.0.1:${port}`, msg: 'service ready' });
  }
  if (behaviour === 'mortal') {
    process.exit(3);
  }
});

function log(level: number, fields: Record<string, unknown>): void {
  const line = { level, time: new Date().toISOString(), service: 'fixture', pid: process.pid };
  process.stdout.write(`${JSON.stringify({ ...line, ...fields })}\n`);
}
