import type { EventBus } from '@bambochat/messaging';

/** Milliseconds an answer waits at most for its announcement to leave. */
const FLUSH_TIMEOUT = 500;

/** Resolves when what was published has left, or after a bounded wait: the change itself is done. */
export async function flushBounded(bus: EventBus): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, FLUSH_TIMEOUT);
  try {
    await Promise.race([bus.flush(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
