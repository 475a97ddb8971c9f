import { z } from 'zod';
import { decimal } from './config.ts';

/**
 * Tracing is off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set: then there is no tracer, nothing of
 * OpenTelemetry is loaded, and `tracer?.start(…)` is all that is left of it.
 */
export interface Tracer {
  /**
   * Begins a span. Without `parent` a trace of its own, which may not be among the share that is
   * traced: undefined then.
   */
  start(
    name: string,
    options?: {
      /** What another span says of itself: {@link TraceSpan.traceparent}. */
      parent?: string;
      /** `server` and `consumer`: caused from outside. `producer`: causes something elsewhere. */
      kind?: 'internal' | 'server' | 'producer' | 'consumer';
      attributes?: Readonly<Record<string, string | number>>;
    },
  ): TraceSpan | undefined;
}

export interface TraceSpan {
  /** W3C Trace Context; for who goes on with the trace in another process. */
  readonly traceparent: string;
  /** Log lines that `work` writes, now or later, carry `trace_id` and `span_id`. */
  run<Result>(work: () => Result): Result;
  /** The span has failed; it still has to end. */
  fail(error: unknown): void;
  end(): void;
}

/** What {@link Tracer} stands on; for `runProcess`. */
export interface Tracing {
  readonly tracer: Tracer;
  /** For the log line that is being written. */
  logFields(): object;
  /** Sends what is left, for 2 s at most. */
  stop(): Promise<void>;
}

/** Variables of processes on the way of a message; names and meaning as OpenTelemetry has them. */
export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine((value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ''), {
      error: 'must be a URL that begins with http:// or https://',
    })
    .meta({ form: '`http://` or `https://`' })
    .optional()
    .describe(
      'Where traces are sent: an OTLP/HTTP receiver, to whose `/v1/traces` they go as JSON. Absent: nothing is traced.',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^[^=,\s]+=[^,\s]*(,[^=,\s]+=[^,\s]*)*$/, { error: 'must be name=value,name=value' })
    .meta({ form: '`name=value`, comma-separated, percent-encoded' })
    .optional()
    .describe('Headers for that receiver, such as a key.'),
  OTEL_TRACES_SAMPLER_ARG: decimal(0, 1)
    .prefault('1')
    .describe('Which part of all messages is traced; a trace that has begun goes on everywhere.'),
};

export interface TracingSettings {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: string | undefined;
  OTEL_TRACES_SAMPLER_ARG: number;
}

/** Undefined: tracing is off. */
export async function startTracing(
  service: string,
  settings: TracingSettings,
): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = settings;
  if (endpoint === undefined) {
    return undefined;
  }
  const { startOpenTelemetry } = await import('./open-telemetry.ts');
  return startOpenTelemetry({
    service,
    endpoint,
    headers: headersOf(settings.OTEL_EXPORTER_OTLP_HEADERS),
    share: settings.OTEL_TRACES_SAMPLER_ARG,
  });
}

function headersOf(list: string | undefined): Record<string, string> {
  const pairs = (list ?? '').split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [decodeURIComponent(name), decodeURIComponent(value.join('='))];
    }),
  );
}

/** The id that all log lines and spans of a trace share; undefined when it is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '')?.[1];
}
