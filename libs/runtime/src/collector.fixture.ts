import fastify from 'fastify';

/** A span as OTLP/JSON has it; its service beside it. */
export interface CollectedSpan {
  readonly service: string;
  readonly pid: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface Collector extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: CollectedSpan[];
  readonly headers: Record<string, unknown>[];
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number | string };
}
interface TraceRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: Omit<CollectedSpan, 'service' | 'pid'>[] }[];
  }[];
}

/** Takes traces as an OpenTelemetry collector does. */
export async function startCollector(): Promise<Collector> {
  const app = fastify({ bodyLimit: 16 * 1024 ** 2 });
  const spans: CollectedSpan[] = [];
  const headers: Record<string, unknown>[] = [];
  app.post('/v1/traces', async (request) => {
    headers.push(request.headers);
    for (const { resource, scopeSpans } of (request.body as TraceRequest).resourceSpans) {
      const attribute = (name: string) =>
        resource.attributes.find(({ key }) => key === name)?.value;
      const service = attribute('service.name')?.stringValue ?? '';
      const pid = Number(attribute('process.pid')?.intValue);
      spans.push(
        ...scopeSpans.flatMap((scope) => scope.spans.map((s) => ({ ...s, service, pid }))),
      );
    }
    return {};
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, spans, headers, [Symbol.asyncDispose]: () => app.close() };
}
