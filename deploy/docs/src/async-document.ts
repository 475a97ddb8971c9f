import { stringify } from 'yaml';

type Json = Record<string, unknown>;

/** The parts of AsyncAPI 3 that our documents use. */
export interface AsyncDocument {
  info: Json;
  servers: Json;
  channels: Json;
  operations: Json;
  components: Json;
}

/** `#/channels/socket/messages/typing`, with the keys escaped. */
export function reference(...path: readonly string[]): { $ref: string } {
  const keys = path.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1'));
  return { $ref: `#/${keys.join('/')}` };
}

export function renderAsyncDocument(document: AsyncDocument): string {
  const head = '# Written by `npm run docs` (deploy/docs): change the sources, not this file.\n';
  const asyncapi = { asyncapi: '3.0.0', defaultContentType: 'application/json', ...document };
  return head + stringify(asyncapi, { aliasDuplicateObjects: false, lineWidth: 100 });
}
