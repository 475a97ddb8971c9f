import { AppError, type ChatErrorEvent, toWireError } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { z } from 'zod';
import type { ChatSocket } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { RateKind, RateLimits } from './rate-limits.ts';

export interface EventContext {
  limits: RateLimits;
  metrics: GatewayMetrics;
  logger: Logger;
}

/** Answers one emit: through the callback if there is one, else by events. */
export interface Answer {
  succeed(answer: object): void;
  fail(error: unknown): void;
}

export interface EventDefinition<Schema extends z.ZodType> {
  event: string;
  schema: Schema;
  rate: RateKind;
  /** An event that may be dropped under load is dropped silently when it comes too often. */
  volatile?: boolean;
  /** May answer later; what it throws or rejects with is the answer. */
  handle(socket: ChatSocket, payload: z.infer<Schema>, answer: Answer): void | Promise<void>;
}

type AnyDefinition = EventDefinition<z.ZodType>;

/**
 * Handles the events of all sockets, as a listener of `onAny`: validates, limits the rate, runs, and
 * turns every failure into the answer of the contract. Nothing that a client sends can throw past this.
 * One function for all events and sockets: an idle socket holds no closure.
 */
export function createEventHandler(
  context: EventContext,
  definitions: readonly EventDefinition<never>[],
): (this: ChatSocket, event: string, ...args: unknown[]) => void {
  const byName = new Map(
    definitions.map((definition) => [definition.event, definition as unknown as AnyDefinition]),
  );

  async function run(
    socket: ChatSocket,
    definition: AnyDefinition,
    payload: unknown,
    answer: Answer,
  ): Promise<void> {
    if (!context.limits.take(socket.data.userId, definition.rate)) {
      throw new AppError('RATE_LIMITED', 'Too many requests, slow down');
    }
    const parsed = definition.schema.safeParse(payload);
    if (!parsed.success) {
      throw new AppError('VALIDATION', describe(parsed.error));
    }
    await definition.handle(socket, parsed.data, answer);
  }

  // A rest parameter: the payload and the callback may each be missing.
  return function handle(event, ...args) {
    const definition = byName.get(event);
    // What was on its way when it went is nobody's any more.
    if (definition === undefined || !this.connected) {
      return;
    }
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (answer: object) => void) : null;
    const payload = ack !== null && args.length === 1 ? undefined : args[0];
    const answer = answerTo(context, this, definition, payload, ack);
    context.metrics.events.inc({ event });
    void run(this, definition, payload, answer).catch((error: unknown) => answer.fail(error));
  };
}

function answerTo(
  context: EventContext,
  socket: ChatSocket,
  definition: { event: string; volatile?: boolean },
  payload: unknown,
  ack: ((answer: object) => void) | null,
): Answer {
  const { event } = definition;
  return {
    succeed(answer) {
      ack?.({ success: true, ...answer });
    },
    fail(error) {
      const wire = toWireError(error);
      context.metrics.eventErrors.inc({ event, code: wire.code });
      if (wire.code === 'INTERNAL') {
        context.logger.error({ err: error, event }, 'event failed');
      }
      if (ack !== null) {
        ack({ success: false, error: wire });
      } else if (!(definition.volatile === true && wire.code === 'RATE_LIMITED')) {
        const chatError: ChatErrorEvent = { event, ...wire, ...namesIn(payload) };
        socket.emit('chat_error', chatError);
      }
    },
  };
}

/** Lets the client tell which emit failed; only short strings, as it sent them. */
function namesIn(payload: unknown): { conversationId?: string; clientMessageId?: string } {
  const names: { conversationId?: string; clientMessageId?: string } = {};
  if (typeof payload === 'object' && payload !== null) {
    for (const name of ['conversationId', 'clientMessageId'] as const) {
      const value: unknown = Object.hasOwn(payload, name)
        ? (payload as Record<string, unknown>)[name]
        : undefined;
      if (typeof value === 'string' && value.length <= 128) {
        names[name] = value;
      }
    }
  }
  return names;
}

/** `content: must not be empty`; the first problem is enough, and bounded. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) {
    return 'The payload is wrong';
  }
  const path = issue.path.map(String).join('.');
  return `${path === '' ? 'payload' : path}: ${issue.message}`.slice(0, 200);
}
