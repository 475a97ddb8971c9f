import type { Namespace } from 'socket.io';
import { Adapter, type BroadcastOptions } from 'socket.io-adapter';
import { createRoomEmitter } from './emit-into-rooms.ts';
import { createFanOut } from './fan-out.ts';
import type { Rooms, Subscription } from './rooms.ts';
import type { RoomsLogger } from './rooms-logger.ts';
import { silentLogger } from './rooms-logger.ts';

/** There is no other process, and nothing between. */
const neverCalled: Subscription = { unsubscribe: () => {} };

/**
 * Rooms inside one process. All Socket.IO servers that are constructed with its adapter hear each
 * other, as gateways on Redis do. Nothing is ever interrupted, so a fence is passed at once.
 */
export function createMemoryRooms(options: { logger?: RoomsLogger } = {}): Rooms {
  const logger = options.logger ?? silentLogger;
  const adapters = new Set<MemoryAdapter>();
  const counts = { broadcasts: 0, deliveries: 0 };

  class MemoryAdapter extends Adapter {
    readonly fanOut = createFanOut(this, counts);

    constructor(namespace: Namespace) {
      super(namespace);
      adapters.add(this);
    }

    override broadcast(packet: unknown, broadcast: BroadcastOptions): void {
      if (broadcast.flags?.local) {
        this.fanOut.broadcast(packet, broadcast);
        return;
      }
      for (const adapter of adapters) {
        if (adapter.nsp.name === this.nsp.name) {
          adapter.fanOut.broadcast(packet, broadcast);
        }
      }
    }

    override close(): void {
      adapters.delete(this);
    }
  }

  const mainNamespace = (): Namespace | null => {
    for (const adapter of adapters) {
      if (adapter.nsp.name === '/') {
        return adapter.nsp;
      }
    }
    return null;
  };

  return {
    adapter: MemoryAdapter,
    emitter: createRoomEmitter(mainNamespace, (error) =>
      logger.error({ err: error }, 'an event could not be emitted into a room'),
    ),
    fence: async () => {},
    onInterruption: () => neverCalled,
    onEmitsLost: () => neverCalled,
    onRemoteEvent: () => neverCalled,
    onTracedEvent: () => neverCalled,
    figures: () => ({ ...counts }),
    check: async () => {},
    stop: async () => adapters.clear(),
  };
}
