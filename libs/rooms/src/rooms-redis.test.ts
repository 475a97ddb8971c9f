import { startBackends } from '@bambochat/testing';
import { describeRooms } from './rooms.contract.ts';
import { createRedisRooms } from './rooms-redis.ts';

describeRooms('Redis', async () => {
  const backends = await startBackends({ names: ['redis'], own: true });
  return {
    open: () => createRedisRooms({ url: backends.redis.url }),
    close: () => backends.stop(),
  };
});
