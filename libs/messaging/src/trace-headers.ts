import { headers, type MsgHdrs } from 'nats';
import type { Traces } from './command-log.ts';
import { commandSubjects } from './command-subjects.ts';

/** A header cannot be empty. */
const UNTRACED = '-';

export function traceHeaders(traces: Traces): MsgHdrs {
  const header = headers();
  for (const trace of traces) {
    header.append(commandSubjects.traceparent, trace === '' ? UNTRACED : trace);
  }
  return header;
}

export function tracesIn(header: MsgHdrs | undefined): Traces | undefined {
  if (header === undefined || !header.has(commandSubjects.traceparent)) {
    return undefined;
  }
  return header
    .values(commandSubjects.traceparent)
    .map((trace) => (trace === UNTRACED ? '' : trace));
}
