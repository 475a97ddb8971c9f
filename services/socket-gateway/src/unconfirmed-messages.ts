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
import type { Logger, TraceSpan } from '@bambochat/runtime';
import type { ChatSocket } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Connection } from './raw-web-socket.ts';
import { createWaitingBound } from './waiting-bound.ts';

export type Success = Exclude<ChatResult, { error: WireError }>;

/** Who waits for the outcome of one message, mark or reaction. */
export interface Waiting {
  socket: ChatSocket;
  request: ChatRequest;
  confirm(result: Success): void;
  fail(error: WireError): void;
  /** From the emit to the answer. */
  span?: TraceSpan | undefined;
}

export interface UnconfirmedMessages {
  readonly size: number;
  readonly full: boolean;
  add(waiting: Waiting): void;
  /** Something that came over this connection waits. */
  holds(connection: Connection): boolean;
  /** The command log did not take the request. */
  fail(ref: string, error: WireError): void;
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
 * yet. Bounded by `max`, and while results come by how fast they do; an entry goes when its result comes or its socket is gone. An entry whose
 * result is overdue has its command sent again under the same name, which finds what was done and
 * confirms it; after half an hour without any result it is given up as
 * `UNAVAILABLE`, which the client may retry, so that nothing keeps its place for ever.
 */
export function createUnconfirmedMessages(options: {
  bus: EventBus;
  gatewayId: GatewayId;
  max: number;
  /** Milliseconds; see {@link createWaitingBound}. */
  maxWait: number;
  askAgain: (request: ChatRequest) => void;
  /** A command has been carried out that held this request. */
  onCommandAnswered?: (request: ChatRequest) => void;
  onUnknownResult?: () => void;
  metrics?: Pick<GatewayMetrics, 'resultTransit'>;
  logger?: Logger;
}): UnconfirmedMessages {
  const entries = new Map<string, Entry>();
  /** How many entries each connection has. */
  const counts = new Map<Connection, number>();
  const bound = createWaitingBound({ max: options.max, wait: options.maxWait });

  function take(ref: string): Entry | undefined {
    const entry = entries.get(ref);
    if (entry === undefined) {
      return undefined;
    }
    entries.delete(ref);
    const { conn } = entry.socket;
    const left = (counts.get(conn) ?? 0) - 1;
    if (left > 0) {
      counts.set(conn, left);
    } else {
      counts.delete(conn);
    }
    return entry;
  }

  function fail(ref: string, error: WireError): void {
    const entry = take(ref);
    if (entry !== undefined) {
      settle(entry, { error }, options.logger);
    }
  }

  const subscription: Subscription = options.bus.subscribe(
    subjects.chatResults(options.gatewayId),
    (payload) => {
      const parsed = chatResultsSchema.safeParse(payload);
      if (!parsed.success) {
        options.onUnknownResult?.();
        return;
      }
      const { sentAt } = parsed.data;
      if (sentAt !== undefined) {
        // Clocks that disagree would give negative times.
        options.metrics?.resultTransit.observe(Math.max(0, Date.now() - sentAt) / 1000);
      }
      let answered: ChatRequest | null = null;
      for (const result of parsed.data.results) {
        const entry = take(result.ref);
        if (entry === undefined) {
          // The socket is gone, or the question was asked twice.
          continue;
        }
        bound.answered(entries.size);
        answered = entry.request;
        settle(entry, result, options.logger);
      }
      if (answered !== null) {
        options.onCommandAnswered?.(answered);
      }
    },
  );

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [ref, entry] of [...entries]) {
      if (!entry.socket.connected) {
        take(ref);
        abandon(entry);
      } else if (entry.askAt <= now && entry.asks < ASKS_MAX) {
        entry.asks += 1;
        entry.askAt = now + FIRST_ASK_AFTER * 2 ** entry.asks;
        options.askAgain(entry.request);
      } else if (entry.askAt <= now) {
        fail(ref, toWireError(unavailable('The confirmation')));
      }
    }
  }, SWEEP_INTERVAL);
  sweep.unref();

  return {
    get size() {
      return entries.size;
    },
    get full() {
      return !bound.admits(entries.size);
    },
    add(waiting) {
      entries.set(waiting.request.ref, {
        ...waiting,
        askAt: performance.now() + FIRST_ASK_AFTER,
        asks: 0,
      });
      const { conn } = waiting.socket;
      counts.set(conn, (counts.get(conn) ?? 0) + 1);
    },
    holds: (connection) => counts.has(connection),
    fail,
    stop() {
      subscription.unsubscribe();
      clearInterval(sweep);
      for (const entry of entries.values()) {
        abandon(entry);
      }
      entries.clear();
      counts.clear();
    },
  };
}

/** The answer is written within the trace of the request, and ends it. */
function settle(
  entry: Entry,
  result: Success | { error: WireError },
  logger: Logger | undefined,
): void {
  const { span } = entry;
  if (span === undefined) {
    answer(entry, result);
    return;
  }
  span.run(() => {
    answer(entry, result);
    logger?.debug({ kind: entry.request.kind }, 'request answered');
  });
  if ('error' in result) {
    span.fail(result.error.code);
  }
  span.end();
}

function answer(entry: Entry, result: Success | { error: WireError }): void {
  if ('error' in result) {
    entry.fail(result.error);
  } else {
    entry.confirm(result);
  }
}

/** Nobody is there to hear the answer. */
function abandon({ span }: Entry): void {
  span?.fail('ABANDONED');
  span?.end();
}
