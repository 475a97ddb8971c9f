import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type ChatRequestsCommand,
  chatRequestsCommandSchema,
  replySchema,
} from '@bambochat/protocol';
import {
  type BusEntry,
  busCatalogue,
  clientEvents,
  connectErrorDataSchema,
  failureSchema,
  serverEvents,
} from '@bambochat/protocol/catalogue';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { busDocument } from './bus-document.ts';
import { changesThatBreak } from './schema-growth.ts';
import { socketDocument } from './socket-document.ts';

const released = fileURLToPath(new URL('../released', import.meta.url));
const versions = await readdir(released);
const read = (version: string, name: string) => readFile(`${released}/${version}/${name}`, 'utf8');

/** What a receiver of this version reads each message with. */
const receivers = new Map<string, z.ZodType>([
  ['nats commands.payload', chatRequestsCommandSchema],
  ['nats deadLetters.payload', chatRequestsCommandSchema],
  ...Object.entries<BusEntry>(busCatalogue).flatMap(([name, { payload, answer }]) => [
    [`nats ${name}.payload`, payload] as const,
    ...(answer === undefined ? [] : [[`nats ${name}.answer`, replySchema(answer)] as const]),
  ]),
  ...Object.entries(clientEvents).flatMap(([event, { payload, success }]) => [
    [`socketio client.${event}`, payload] as const,
    ...(success === null
      ? []
      : [[`socketio client.${event}.acknowledgement`, z.union([success, failureSchema])] as const]),
  ]),
  ...Object.entries(serverEvents).map(
    ([event, { payload }]) => [`socketio server.${event}`, payload] as const,
  ),
  ['socketio server.connect_error', connectErrorDataSchema],
]);

test('there is a released version to be held against', () => {
  expect(versions).toContain('0.1.0');
});

describe.each(versions)('what %s sends', (version) => {
  test('is understood today', async () => {
    const samples: Record<string, Record<string, unknown[]>> = JSON.parse(
      await read(version, 'samples.json'),
    );
    let count = 0;
    for (const [kind, messages] of Object.entries(samples)) {
      for (const [name, examples] of Object.entries(messages)) {
        for (const example of examples) {
          const result = receivers.get(`${kind} ${name}`)?.safeParse(example);
          expect(result?.error, `${kind} ${name}`).toBeUndefined();
          expect(result?.success, `${kind} ${name}`).toBe(true);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(receivers.size);
  });

  test.each([
    ['asyncapi-nats.yaml', busDocument],
    ['asyncapi-socketio.yaml', socketDocument],
  ])('and expects has only been added to: %s', async (name, document) => {
    const before = parse(await read(version, name));
    expect(changesThatBreak(before, parse(document()))).toEqual([]);
  });
});

test('a receiver drops what a newer sender adds, at any depth', async () => {
  const samples = JSON.parse(await read('0.1.0', 'samples.json'));
  const [command] = samples.nats['commands.payload'] as ChatRequestsCommand[];
  const newer = {
    ...command,
    added: 1,
    requests: command?.requests.map((request) => ({ ...request, added: { deep: true } })),
  };
  expect(chatRequestsCommandSchema.parse(newer)).toEqual(command);
});

describe('a change', () => {
  const document = (payload: object, address = 'a.b') => ({
    channels: { c: { address, messages: { payload: { payload } } } },
  });
  const shape = (properties: object, required: string[] = []) => ({
    type: 'object',
    properties,
    required,
  });
  const text = { type: 'string' };
  const before = document(shape({ id: text, kind: { enum: ['a', 'b'] } }, ['id']));

  test.each([
    [
      'of a description',
      shape({ id: { ...text, description: 'x' }, kind: { enum: ['a', 'b'] } }, ['id']),
    ],
    [
      'that adds an optional field',
      shape({ id: text, kind: { enum: ['a', 'b'] }, more: text }, ['id']),
    ],
  ])('%s is none', (_, payload) => {
    expect(changesThatBreak(before, document(payload))).toEqual([]);
  });

  test.each([
    [
      'that requires more',
      shape({ id: text, kind: { enum: ['a', 'b'] } }, ['id', 'kind']),
      /required/,
    ],
    ['that requires less', shape({ id: text, kind: { enum: ['a', 'b'] } }), /required/],
    ['that removes a field', shape({ id: text }, ['id']), /kind is gone/],
    [
      'of a type',
      shape({ id: { type: 'number' }, kind: { enum: ['a', 'b'] } }, ['id']),
      /was "string"/,
    ],
    [
      'that adds a value',
      shape({ id: text, kind: { enum: ['a', 'b', 'c'] } }, ['id']),
      /kind\.enum/,
    ],
  ])('%s is found', (_, payload, expected) => {
    expect(changesThatBreak(before, document(payload)).join()).toMatch(expected);
  });

  test('of a subject is found', () => {
    const [{ c }] = [before.channels];
    expect(changesThatBreak(before, document(c.messages.payload.payload, 'a.c'))).toHaveLength(1);
    expect(changesThatBreak(before, { channels: {} })).toEqual(['c.payload is gone']);
  });
});
