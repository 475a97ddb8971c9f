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
const groups = new Map<string, { received: number; lost: number; sockets: LightSocket[] }>();
const bareConnections: Socket[] = [];

function groupOf(name: string) {
  const group = groups.get(name) ?? { received: 0, lost: 0, sockets: [] };
  groups.set(name, group);
  return group;
}

async function open(order: CrowdOrder & { kind: 'open' }): Promise<void> {
  const group = groupOf(order.group);
  const waiting = order.members.map((member, index) => ({
    userId: member as UserId,
    url: order.urls[index % order.urls.length] ?? '',
  }));
  waiting.reverse();
  await Promise.all(
    Array.from({ length: order.concurrency }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { userId, url } = next;
        const { token } = issuer.issueAccess({ userId, sessionId: 'bench' });
        const socket = await LightSocket.open({
          url,
          token,
          localAddress: order.localAddress,
          onEvent: (name) => {
            group.received += Number(name === 'receive_message');
          },
          onClose: () => {
            group.lost += 1;
          },
        });
        group.sockets.push(socket);
      }
    }),
  );
}

async function openBare(order: CrowdOrder & { kind: 'open-bare' }): Promise<void> {
  const group = groupOf(order.group);
  for (let count = 0; count < order.count; count += 1) {
    const socket = connect({ port: order.port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    let rest = 0;
    socket.on('data', (chunk) => {
      rest += chunk.length;
      group.received += Math.floor(rest / order.frameBytes);
      rest %= order.frameBytes;
    });
    bareConnections.push(socket);
  }
}

async function obey(order: CrowdOrder): Promise<CrowdReport> {
  if (order.kind === 'open') {
    await open(order);
  } else if (order.kind === 'open-bare') {
    await openBare(order);
  } else if (order.kind === 'close') {
    for (const socket of groupOf(order.group).sockets.splice(0)) {
      socket.terminate();
    }
  }
  const { received, lost } = groupOf(order.group);
  return { id: order.id, received, lost };
}

process.on('message', (order: CrowdOrder) => {
  obey(order).then(
    (report) => process.send?.(report),
    (error: Error) =>
      process.send?.({ id: order.id, received: 0, lost: 0, failure: error.message }),
  );
});
process.on('disconnect', () => process.exit());
