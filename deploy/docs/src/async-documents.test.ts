import { glob, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import specification from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { commandSubjects } from '@bambochat/messaging';
import { subjects } from '@bambochat/protocol';
import {
  type BusEntry,
  busCatalogue,
  clientEvents,
  serverEvents,
} from '@bambochat/protocol/catalogue';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { addressOf, busDocument } from './bus-document.ts';
import { socketDocument } from './socket-document.ts';

interface AsyncApi {
  channels: Record<string, { address: string; messages: Record<string, { payload: object }> }>;
  operations: Record<string, { action: string; messages: { $ref: string }[] }>;
  components: { schemas: Record<string, object> };
}

const socket = parse(socketDocument()) as AsyncApi;
const bus = parse(busDocument()) as AsyncApi;
const services = fileURLToPath(new URL('../../../services', import.meta.url));

function ajv(): Ajv {
  const validator = new Ajv({ strict: false, allErrors: true });
  formats.default(validator);
  return validator;
}

const isAsyncApi = ajv().compile(specification);

describe.each([
  ['of Socket.IO', socket],
  ['of NATS', bus],
])('the AsyncAPI document %s', (_, document) => {
  test('is valid AsyncAPI 3', () => {
    isAsyncApi(document);
    expect(isAsyncApi.errors).toBeNull();
  });

  test('refers only to what is there', () => {
    for (const [, path] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = (path ?? '').split('/').reduce<unknown>((node, key) => {
        return (node as Record<string, unknown> | undefined)?.[key];
      }, document);
      expect(found, path).toBeTypeOf('object');
    }
  });

  test('has schemas that can be used', () => {
    for (const { messages } of Object.values(document.channels)) {
      for (const { payload } of Object.values(messages)) {
        const validator = ajv();
        validator.addSchema(document, 'document');
        const local = JSON.stringify(payload).replaceAll('"#/', '"document#/');
        expect(() => validator.compile(JSON.parse(local))).not.toThrow();
      }
    }
  });
});

test('has every event with its schema, and says what a message is', () => {
  const { messages } = socket.channels.namespace ?? { messages: {} };
  expect(Object.keys(messages)).toEqual(
    expect.arrayContaining([
      ...Object.keys(clientEvents).map((event) => `client.${event}`),
      ...Object.keys(serverEvents).map((event) => `server.${event}`),
    ]),
  );
  const validator = ajv();
  validator.addSchema(socket, 'document');
  const pointer = 'document#/channels/namespace/messages/client.send_message/payload';
  const isMessage = validator.compile({ $ref: pointer });
  const conversationId = '01890a5d-ac96-774b-bcce-b302099a8057';
  expect(isMessage({ conversationId, content: 'hello', added: 'by a newer client' })).toBe(true);
  expect(isMessage({ conversationId, content: '' })).toBe(false);
  expect(isMessage({ conversationId: 'c1', content: 'hello' })).toBe(false);
});

describe('subjects', () => {
  test('each one that the code knows is in the document', () => {
    const names = Object.keys(subjects) as (keyof typeof subjects)[];
    const addresses = Object.values(bus.channels).map(({ address }) => address);
    expect(addresses.toSorted()).toEqual(
      [
        ...names.map(addressOf),
        `${commandSubjects.subject}.{partition}`,
        `${commandSubjects.deadLetterSubject}.{partition}`,
      ].toSorted(),
    );
  });

  test('are used by exactly the services that the document names', async () => {
    const used = new Map<string, Set<string>>();
    for await (const { service, source } of sources()) {
      for (const [, name = ''] of source.matchAll(/\bsubjects\.(\w+)/g)) {
        used.set(name, (used.get(name) ?? new Set()).add(service));
      }
    }
    for (const [name, entry] of Object.entries<BusEntry>(busCatalogue)) {
      const documented = [...new Set([...entry.from, ...entry.to])].toSorted();
      expect([...(used.get(name) ?? [])].toSorted(), name).toEqual(documented);
    }
  });

  test('are nowhere written out in a service', async () => {
    for await (const { file, source } of sources()) {
      const calls = source.match(/bus\s*\.(publish|subscribe|request|respond)\(\s*['"`]/g);
      expect(calls, file).toBeNull();
    }
  });

  test('of requests are answered by a queue group named after the service', async () => {
    const queues = new Map<string, Set<string>>();
    for await (const { service, source } of sources()) {
      for (const [, queue = ''] of source.matchAll(/\bqueue(?::| =) '([\w-]+)'/g)) {
        queues.set(service, (queues.get(service) ?? new Set()).add(queue));
      }
    }
    const answering = Object.values<BusEntry>(busCatalogue)
      .filter(({ answer }) => answer !== undefined)
      .flatMap(({ to }) => to);
    for (const service of new Set(answering)) {
      expect([...(queues.get(service) ?? [])]).toEqual([service]);
    }
  });
});

async function* sources(): AsyncGenerator<{ service: string; file: string; source: string }> {
  for await (const file of glob('*/src/*.ts', { cwd: services })) {
    if (!/test\.ts$|fixture|contract/.test(file)) {
      const service = basename(dirname(dirname(file)));
      yield { service, file, source: await readFile(join(services, file), 'utf8') };
    }
  }
}
