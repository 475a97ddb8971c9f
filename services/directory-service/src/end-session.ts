import type { EventBus } from '@bambochat/messaging';
import { type SessionEnded, subjects, type UserId } from '@bambochat/protocol';
import type { DirectoryStore } from '@bambochat/stores';

/**
 * Ends a login session for good, and tells the gateways to end its sockets. Told again for a session
 * that was over before: whoever ended it may have died before it told. A gateway that cannot be told
 * asks when its connection is back.
 *
 * @returns false when it was over before
 * @throws AppError `UNAVAILABLE`
 */
export async function endSession(
  deps: { directoryStore: Pick<DirectoryStore, 'revokeSession'>; bus: Pick<EventBus, 'publish'> },
  userId: UserId,
  sessionId: string,
): Promise<boolean> {
  const ended = await deps.directoryStore.revokeSession(sessionId);
  const event: SessionEnded = { userId, sessionId };
  deps.bus.publish(subjects.sessionEnded, event);
  return ended;
}
