import { createBackoff } from './backoff.ts';
import { asChatError, closed } from './chat-error.ts';

/** How far the user has read in one conversation. */
export interface ReadPosition {
  readonly messageId: string;
  /** Null: the message is not in memory. */
  readonly seq: number | null;
}

export interface ReadMarker {
  /**
   * Gives what is unread once the server has this position, or a later one.
   *
   * @throws ChatError what the server refuses for good, and `CLOSED`. Nobody has to listen.
   */
  mark(position: ReadPosition): Promise<number>;
  /** There is a connection again. */
  resume(): void;
  close(): void;
}

/**
 * Brings the read position of one conversation to the server, now or as soon as there is a
 * connection. Only the furthest one is kept, so that a time without connection costs one request
 * however much was read in it. It is kept in memory: what it had not told is unread after a reload.
 *
 * @param options.send gives what is unread. @throws ChatError
 */
export function createReadMarker(options: {
  isConnected: () => boolean;
  send: (position: ReadPosition) => Promise<number>;
}): ReadMarker {
  const backoff = createBackoff();
  let furthest: ReadPosition | null = null;
  /** Settles when the furthest position is there. */
  let outcome: PromiseWithResolvers<number> | null = null;
  let isSending = false;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function settle(how: (outcome: PromiseWithResolvers<number>) => void): void {
    const settled = outcome;
    outcome = null;
    furthest = null;
    clearTimeout(timer);
    timer = undefined;
    backoff.reset();
    if (settled !== null) {
      how(settled);
    }
  }

  async function send(): Promise<void> {
    if (furthest === null || isSending || timer !== undefined || !options.isConnected()) {
      return;
    }
    const position = furthest;
    isSending = true;
    try {
      const unread = await options.send(position);
      if (position === furthest) {
        settle(({ resolve }) => resolve(unread));
      }
    } catch (error) {
      const failure = asChatError(error);
      if (!failure.retryable) {
        settle(({ reject }) => reject(failure));
      } else if (outcome !== null && options.isConnected()) {
        timer = setTimeout(() => {
          timer = undefined;
          void send();
        }, backoff.next());
      }
    } finally {
      isSending = false;
    }
    void send();
  }

  return {
    mark(position) {
      const known = furthest?.seq ?? 0;
      if (furthest === null || position.seq === null || position.seq > known) {
        furthest = position;
      }
      if (outcome === null) {
        outcome = Promise.withResolvers();
        outcome.promise.catch(() => {});
      }
      const { promise } = outcome;
      if (isClosed) {
        settle(({ reject }) => reject(closed()));
      }
      void send();
      return promise;
    },
    resume() {
      clearTimeout(timer);
      timer = undefined;
      void send();
    },
    close() {
      isClosed = true;
      settle(({ reject }) => reject(closed()));
    },
  };
}
