import { type EventBus, settlesWithin } from '@bambochat/messaging';

/** Milliseconds an answer waits at most for its announcement to leave. */
const FLUSH_TIMEOUT = 500;

/** Resolves when what was published has left, or after a bounded wait: the change itself is done. */
export async function flushBounded(bus: EventBus): Promise<void> {
  await settlesWithin(bus.flush(), FLUSH_TIMEOUT);
}
