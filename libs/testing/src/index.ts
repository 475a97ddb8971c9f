export type { Backend, BackendName } from './backend.ts';
export { freePort } from './free-port.ts';
export type { Backends, StartOptions } from './start-backends.ts';
export { startBackends } from './start-backends.ts';
export type { CollectedSpan, TraceCollector } from './trace-collector.ts';
export { startTraceCollector } from './trace-collector.ts';
export type { WaitOptions } from './wait-for.ts';
export { waitFor } from './wait-for.ts';
