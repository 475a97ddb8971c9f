/*
 * The process that `crowd.ts` runs: sockets that count what they receive, and bare TCP connections
 * that count bytes.
 */
import { connect, type Socket } from 'node:net';
import { createTokenIssuer } from '@bambochat/auth';
import type { UserId } from '@bambochat/protocol';
import { LightSocket } from '../light-socket.ts';
import type { CrowdOrder, CrowdReport } from './crowd.ts';

const issuer = createTokenIssuer({
  JWT_ALGORITHM: 'HS256',
  JWT_SECRET: process.env.JWT_SECRET,
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
  ACCESS_TOKEN_TTL: 24 * 3_600_000,
  REFRESH_TOKEN_TTL: 24 * 3_600_000,
});
/** Held: nothing else does. */
const connections: (LightSocket | Socket)[] = [];
let received = 0;

async function open(order: CrowdOrder & { kind: 'open' }): Promise<void> {
  const waiting = order.members.map((member, index) => ({
    userId: member as UserId,
    url: order.urls[index % order.urls.length] ?? '',
  }));
  waiting.reverse();
  await Promise.all(
    Array.from({ length: order.concurrency }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { userId, url } = next;
        const { token } = issuer.issueAccess({ userId, sessionId: null });
        const socket = await LightSocket.open({
          url,
          token,
          localAddress: order.localAddress,
          onEvent: (name) => {
            received += Number(name === 'receive_message');
          },
          // What it misses from now on is noticed: the benchmark waits for all of it.
          onClose: () => {},
        });
        connections.push(socket);
      }
    }),
  );
}

async function openBare(order: CrowdOrder & { kind: 'open-bare' }): Promise<void> {
  for (let count = 0; count < order.count; count += 1) {
    const socket = connect({ port: order.port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    let rest = 0;
    socket.on('data', (chunk) => {
      rest += chunk.length;
      received += Math.floor(rest / order.frameBytes);
      rest %= order.frameBytes;
    });
    connections.push(socket);
  }
}

async function obey(order: CrowdOrder): Promise<CrowdReport> {
  if (order.kind === 'open') {
    await open(order);
  } else if (order.kind === 'open-bare') {
    await openBare(order);
  }
  return { id: order.id, received };
}

process.on('message', (order: CrowdOrder) => {
  obey(order).then(
    (report) => process.send?.(report),
    (error: Error) => process.send?.({ id: order.id, received, failure: error.message }),
  );
});
process.on('disconnect', () => process.exit());
