import { describeRooms } from './rooms.contract.ts';
import { createMemoryRooms } from './rooms-memory.ts';

describeRooms('one process', async () => {
  const rooms = createMemoryRooms();
  return { open: async () => rooms, close: () => rooms.stop() };
});
