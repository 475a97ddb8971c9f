/*
 * What the gateway is compared with: Socket.IO as its documentation has it, with the same options,
 * the same check of the token, the same rooms and the stock sharded adapter on the same Redis.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import jsonwebtoken from 'jsonwebtoken';
import { Server } from 'socket.io';
import { conversationOfMember } from './cast.ts';

const { REDIS_URL = '', JWT_SECRET = '', CHANNEL_PREFIX = '' } = process.env;
const publisher = new Redis(REDIS_URL);
const subscriber = new Redis(REDIS_URL);
const httpServer = createServer();
const io = new Server(httpServer, {
  adapter: createShardedAdapter(publisher, subscriber, {
    channelPrefix: CHANNEL_PREFIX,
    subscriptionMode: 'dynamic',
  }),
  serveClient: false,
  maxHttpBufferSize: 65_536,
  cors: { origin: '*' },
});
io.use((socket, next) => {
  try {
    const claims = jsonwebtoken.verify(socket.handshake.auth.token, JWT_SECRET, {
      algorithms: ['HS256'],
      issuer: 'bambochat',
      audience: 'bambochat',
    });
    socket.data.userId = claims.sub;
    next();
  } catch {
    next(new Error('Invalid or expired token'));
  }
});
io.on('connection', (socket) => {
  const { userId } = socket.data;
  void socket.join([`user:${userId}`, `conversation:${conversationOfMember(userId)}`]);
});
httpServer.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (httpServer.address() as AddressInfo).port });
});
for (const end of ['disconnect', 'SIGTERM'] as const) {
  process.on(end, () => process.exit());
}
