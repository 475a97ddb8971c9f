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
  return rooms.onRemoteEvent(({ message }) => {
    // Absent: no message, or one of an older message-service, which is not worth parsing it.
    const age = message === undefined ? Number.NaN : Date.now() - Date.parse(message.createdAt);
    if (!Number.isNaN(age)) {
      liveDelay.observe(Math.max(0, age) / 1000);
    }
  });
}
