import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  type ChatRequest,
  type ChatResult,
  chatResultsSchema,
  type GatewayId,
  subjects,
  toWireError,
  unavailable,
  type WireError,
} from '@bambochat/protocol';
import type { ChatSocket } from './chat-socket.ts';

export type Success = Exclude<ChatResult, { error: WireError }>;

/** Who waits for the outcome of one message, mark or reaction. */
export interface Waiting {
  socket: ChatSocket;
  request: ChatRequest;
  confirm(result: Success): void;
  fail(error: WireError): void;
}

export interface UnconfirmedMessages {
  readonly size: number;
  readonly full: boolean;
  add(waiting: Waiting): void;
  /** The command log did not take the request. */
  fail(ref: string, error: WireError): void;
  /** Resolves when nobody waits any more, or after `timeout` ms. */
  drain(timeout: number): Promise<void>;
  stop(): void;
}

/** Results may be lost with a connection to the bus; asking again is safe, and dear if done often. */
const FIRST_ASK_AFTER = 15_000;
const ASKS_MAX = 6;
const SWEEP_INTERVAL = 5000;

interface Entry extends Waiting {
  askAt: number;
  asks: number;
}

/**
 * Messages, marks and reactions that were taken over by the command log, or are on their way there, and have no result
 * yet. Bounded by `max`; an entry goes when its result comes or its socket is gone. An entry whose
 * result is overdue has its command sent again under the same name, which finds what was done and
 * confirms it; after half an hour without any result it is given up as
 * `UNAVAILABLE`, which the client may retry, so that nothing keeps its place for ever.
 */
export function createUnconfirmedMessages(options: {
  bus: EventBus;
  gatewayId: GatewayId;
  max: number;
  askAgain: (request: ChatRequest) => void;
  onUnknownResult?: () => void;
}): UnconfirmedMessages {
  const entries = new Map<string, Entry>();
  const idle = new Set<() => void>();

  function take(ref: string): Entry | undefined {
    const entry = entries.get(ref);
    entries.delete(ref);
    if (entries.size === 0) {
      for (const resolve of idle) {
        resolve();
      }
      idle.clear();
    }
    return entry;
  }

  const subscription: Subscription = options.bus.subscribe(
    subjects.chatResults(options.gatewayId),
    (payload) => {
      const parsed = chatResultsSchema.safeParse(payload);
      if (!parsed.success) {
        options.onUnknownResult?.();
        return;
      }
      for (const result of parsed.data.results) {
        const entry = take(result.ref);
        if (entry === undefined) {
          // The socket is gone, or the question was asked twice.
          continue;
        }
        if ('error' in result) {
          entry.fail(result.error);
        } else {
          entry.confirm(result);
        }
      }
    },
  );

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [ref, entry] of [...entries]) {
      if (!entry.socket.connected) {
        take(ref);
      } else if (entry.askAt <= now && entry.asks < ASKS_MAX) {
        entry.asks += 1;
        entry.askAt = now + FIRST_ASK_AFTER * 2 ** entry.asks;
        options.askAgain(entry.request);
      } else if (entry.askAt <= now) {
        take(ref)?.fail(toWireError(unavailable('The confirmation')));
      }
    }
  }, SWEEP_INTERVAL);
  sweep.unref();

  return {
    get size() {
      return entries.size;
    },
    get full() {
      return entries.size >= options.max;
    },
    add(waiting) {
      entries.set(waiting.request.ref, {
        ...waiting,
        askAt: performance.now() + FIRST_ASK_AFTER,
        asks: 0,
      });
    },
    fail(ref, error) {
      take(ref)?.fail(error);
    },
    async drain(timeout) {
      if (entries.size === 0) {
        return;
      }
      const empty = Promise.withResolvers<void>();
      idle.add(empty.resolve);
      const timer = setTimeout(empty.resolve, timeout);
      await empty.promise;
      clearTimeout(timer);
      idle.delete(empty.resolve);
    },
    stop() {
      subscription.unsubscribe();
      clearInterval(sweep);
      entries.clear();
    },
  };
}
