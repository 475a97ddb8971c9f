import type { EventBus, Subscription } from '@bambochat/messaging';
import { membersChangedSchema, subjects } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { ConversationRooms } from './conversation-rooms.ts';

const RETRY_AFTER = 2000;

/**
 * Keeps the rooms of connected users as the directory has them: by its announcements, and by
 * asking again for everybody when announcements may have been missed.
 */
export function followMemberships(options: {
  bus: EventBus;
  rooms: ConversationRooms;
  logger: Logger;
}): { stop(): void } {
  const { bus, rooms, logger } = options;
  let reconciling = false;
  let again = false;
  let retry: NodeJS.Timeout | undefined;
  // One change after the other: a removal must not be overtaken by the addition before it.
  let tail = Promise.resolve();

  function reconcile(): void {
    if (reconciling) {
      again = true;
      return;
    }
    reconciling = true;
    rooms
      .reconcile()
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'rooms could not be reconciled, trying again');
        retry = setTimeout(reconcile, RETRY_AFTER);
        retry.unref();
      })
      .finally(() => {
        reconciling = false;
        if (again) {
          again = false;
          reconcile();
        }
      })
      .catch(() => {});
  }

  const subscriptions: Subscription[] = [
    bus.subscribe(subjects.membersChanged, (payload) => {
      const change = membersChangedSchema.safeParse(payload);
      if (!change.success) {
        logger.error('membership announcement was not understood, reconciling');
        reconcile();
        return;
      }
      const { conversationId, added, removed } = change.data;
      tail = tail
        .then(() => rooms.change(conversationId, added, removed))
        .catch((error: unknown) => {
          logger.error({ err: error, conversationId }, 'rooms did not follow a membership');
          reconcile();
        });
    }),
    bus.onReconnect(reconcile),
  ];

  return {
    stop() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      clearTimeout(retry);
    },
  };
}
