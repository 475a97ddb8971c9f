import type { CommandDelivery } from '@bambochat/messaging';
import type { ChatRequest } from '@bambochat/protocol';
import type { RoomEmitter } from '@bambochat/rooms';
import type { Tracer, TraceSpan } from '@bambochat/runtime';

/** The spans of one try of a command: one for each request that its gateway traces. */
export interface CommandTrace {
  /**
   * Ends all spans when `work` does. Log lines carry the first of the traces: one command may hold
   * several.
   */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Begins a step that requests share, such as one insert of many messages. */
  step(name: string, requests: readonly ChatRequest[]): { end(): void };
  /** What it emits belongs to the trace of the request: gateways go on with it. */
  emitterFor(request: ChatRequest, emitter: RoomEmitter): RoomEmitter;
}

/** Undefined without a tracer, and when nothing of the command is traced. */
export function traceCommand(
  tracer: Tracer | undefined,
  { traces, attempt, partition }: CommandDelivery,
  requests: readonly ChatRequest[],
): CommandTrace | undefined {
  if (tracer === undefined || traces === undefined) {
    return undefined;
  }
  const spans = new Map<ChatRequest, TraceSpan>();
  for (const [index, request] of requests.entries()) {
    const parent = traces[index];
    const span = parent
      ? tracer.start(`handle ${request.kind}`, {
          kind: 'consumer',
          parent,
          attributes: { 'chat.partition': partition, 'chat.attempt': attempt },
        })
      : undefined;
    if (span !== undefined) {
      spans.set(request, span);
    }
  }
  const [first] = spans.values();
  return first === undefined ? undefined : traced(tracer, spans, first);
}

function traced(
  tracer: Tracer,
  spans: ReadonlyMap<ChatRequest, TraceSpan>,
  first: TraceSpan,
): CommandTrace {
  /** Steps first: they end before what they are a part of. */
  const open = new Set<TraceSpan>();

  return {
    async run(work) {
      try {
        return await first.run(work);
      } catch (error) {
        for (const span of [...open, ...spans.values()]) {
          span.fail(error);
        }
        throw error;
      } finally {
        for (const span of [...open, ...spans.values()]) {
          span.end();
        }
      }
    },
    step(name, requests) {
      const steps: TraceSpan[] = [];
      for (const request of requests) {
        const parent = spans.get(request)?.traceparent;
        const span = parent === undefined ? undefined : tracer.start(name, { parent });
        if (span !== undefined) {
          steps.push(span);
          open.add(span);
        }
      }
      return {
        end() {
          for (const span of steps) {
            span.end();
            open.delete(span);
          }
        },
      };
    },
    emitterFor(request, emitter) {
      const parent = spans.get(request)?.traceparent;
      if (parent === undefined) {
        return emitter;
      }
      return {
        toConversation(conversationId, event, payload, options) {
          const span = tracer.start(`emit ${event}`, { kind: 'producer', parent });
          const traceparent = span?.traceparent;
          emitter.toConversation(conversationId, event, payload, { ...options, traceparent });
          span?.end();
        },
        toUser: (userId, event, payload) => emitter.toUser(userId, event, payload),
      };
    },
  };
}
