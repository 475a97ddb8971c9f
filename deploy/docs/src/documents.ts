import { fileURLToPath } from 'node:url';
import { busDocument } from './bus-document.ts';
import { configurationDocument, processes } from './configuration-document.ts';
import { metricsDocument } from './metrics-document.ts';
import { restDocument } from './rest-document.ts';
import { socketDocument } from './socket-document.ts';

export interface GeneratedDocument {
  /** File name in `generated/`. */
  readonly name: string;
  /** The whole file, the same every time for the same sources. */
  generate(): string | Promise<string>;
}

export const documents: readonly GeneratedDocument[] = [
  { name: 'openapi.json', generate: restDocument },
  { name: 'asyncapi-socketio.yaml', generate: socketDocument },
  { name: 'asyncapi-nats.yaml', generate: busDocument },
  { name: 'CONFIGURATION.md', generate: () => configurationDocument(processes) },
  { name: 'METRICS.md', generate: metricsDocument },
];

export function pathOf({ name }: GeneratedDocument): string {
  return fileURLToPath(new URL(`../generated/${name}`, import.meta.url));
}
