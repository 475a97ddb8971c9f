import type { EventBus, Subscription } from '@bambochat/messaging';
import { type LiveEventsLost, subjects } from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';

/**
 * When what this process emitted into rooms has not reached the gateways, tells all of them to look
 * what their rooms have missed: nothing else shows it to them. While the bus is away the report
 * waits; of several that wait the first tells since when.
 */
export function reportLostEvents(options: {
  rooms: Pick<Rooms, 'onEmitsLost'>;
  bus: EventBus;
  logger: Logger;
}): Subscription {
  const { bus, logger } = options;
  let due: LiveEventsLost | null = null;
  let telling = false;

  async function tell(): Promise<void> {
    if (telling) {
      return;
    }
    telling = true;
    try {
      while (due !== null) {
        const told: LiveEventsLost = due;
        due = null;
        bus.publish(subjects.liveEventsLost, told);
        if (!(await bus.flush())) {
          due = told;
          return;
        }
      }
    } finally {
      telling = false;
    }
  }

  const subscriptions = [
    options.rooms.onEmitsLost(({ reason, since }) => {
      logger.warn({ since }, 'live events have not reached the gateways, telling them to look');
      due ??= { reason, since };
      void tell();
    }),
    // A flush that failed while the connection was coming back is made up for here.
    bus.onReconnect(() => void tell()),
  ];
  return {
    unsubscribe() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
    },
  };
}
