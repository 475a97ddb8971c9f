import type { ChatRequest } from '@bambochat/protocol';
import type { Rooms, Subscription } from '@bambochat/rooms';
import type { Tracer, TraceSpan } from '@bambochat/runtime';

const eventOf = {
  message: 'send_message',
  read: 'mark_read',
  reaction: 'send_reaction',
} as const satisfies Record<ChatRequest['kind'], string>;

/** Spans of a gateway; there is none of this when tracing is off. */
export interface RequestTracing {
  /** From the emit until its answer; the caller ends it. Undefined: this one is not traced. */
  begin(request: ChatRequest): TraceSpan | undefined;
  /** Until the command log has it. */
  appending(request: ChatRequest, accepted: Promise<void>): void;
  /** For the command log: what handles the request goes on from here. */
  traceOf(request: ChatRequest): string | undefined;
}

export function createRequestTracing(tracer: Tracer): RequestTracing {
  /** Of requests under way: gone with them. */
  const begun = new WeakMap<ChatRequest, TraceSpan>();
  const appends = new WeakMap<ChatRequest, TraceSpan>();

  return {
    begin(request) {
      const span = tracer.start(eventOf[request.kind], {
        kind: 'server',
        attributes: { 'chat.conversation_id': request.conversationId },
      });
      if (span !== undefined) {
        begun.set(request, span);
        const append = tracer.start('append command', {
          kind: 'producer',
          parent: span.traceparent,
          attributes: { 'messaging.system': 'nats' },
        });
        if (append !== undefined) {
          appends.set(request, append);
        }
      }
      return span;
    },
    appending(request, accepted) {
      const append = appends.get(request);
      if (append !== undefined) {
        accepted.catch((error: unknown) => append.fail(error)).finally(() => append.end());
      }
    },
    traceOf: (request) => (appends.get(request) ?? begun.get(request))?.traceparent,
  };
}

/** A span for each event that this gateway hands to its sockets, from its arrival over Redis. */
export function traceDeliveries(tracer: Tracer, rooms: Pick<Rooms, 'onTracedEvent'>): Subscription {
  return rooms.onTracedEvent((event, parent) => {
    const span = tracer.start(`deliver ${event}`, { kind: 'consumer', parent });
    return span && (() => span.end());
  });
}
