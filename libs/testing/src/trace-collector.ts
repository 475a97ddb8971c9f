import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

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

export interface TraceCollector extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Of each request. */
  readonly headers: readonly Readonly<Record<string, unknown>>[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

interface TraceRequest {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: Attribute[] };
    readonly scopeSpans: { readonly spans: Omit<CollectedSpan, 'service' | 'pid'>[] }[];
  }[];
}

/** Takes traces on 127.0.0.1 as an OpenTelemetry collector does: OTLP over HTTP, as JSON. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const headers: Readonly<Record<string, unknown>>[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers);
    spansIn(request).then(
      (found) => {
        spans.push(...found);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      },
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function spansIn(request: IncomingMessage): Promise<CollectedSpan[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  if (request.url !== '/v1/traces') {
    throw new Error(`${request.url} is not where traces go`);
  }
  const body = JSON.parse(Buffer.concat(chunks).toString()) as TraceRequest;
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const attribute = (name: string) => resource.attributes.find(({ key }) => key === name)?.value;
    const service = attribute('service.name')?.stringValue ?? '';
    const pid = Number(attribute('process.pid')?.intValue);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service, pid })));
  });
}
