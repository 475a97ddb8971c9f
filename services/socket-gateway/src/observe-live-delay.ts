import type { Rooms, Subscription } from '@bambochat/rooms';
import type { GatewayMetrics } from './gateway-metrics.ts';

/**
 * How old messages are when they come here from message-service: once for each message and gateway,
 * whatever the number of sockets. `createdAt` is set before the message is stored, by another clock.
 */
export function observeLiveDelay(
  rooms: Pick<Rooms, 'onRemoteEvent'>,
  { liveDelay }: Pick<GatewayMetrics, 'liveDelay'>,
): Subscription {
  return rooms.onRemoteEvent((event, payload) => {
    if (event !== 'receive_message') {
      return;
    }
    const { createdAt } = payload as { createdAt?: unknown };
    const age = typeof createdAt === 'string' ? Date.now() - Date.parse(createdAt) : Number.NaN;
    if (!Number.isNaN(age)) {
      liveDelay.observe(Math.max(0, age) / 1000);
    }
  });
}
