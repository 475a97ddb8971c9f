import { commandSubjects } from '@bambochat/messaging';
import {
  chatRequestsCommandSchema,
  type GatewayId,
  type PresenceReplicaId,
  replySchema,
  subjects,
} from '@bambochat/protocol';
import { type BusEntry, busCatalogue, type ServiceName } from '@bambochat/protocol/catalogue';
import type { z } from 'zod';
import { reference, renderAsyncDocument } from './async-document.ts';
import { createSchemaCollection } from './json-schemas.ts';

/** Subjects with a variable part name it by its parameter. */
const parameters = {
  chatResults: 'gatewayId',
  statusChangesFor: 'gatewayId',
  presenceReportTo: 'replicaId',
} as const satisfies Partial<Record<keyof typeof subjects, string>>;

const parameterDescriptions = {
  gatewayId: 'One gateway process.',
  replicaId: 'One presence-service process.',
  partition: '0 to `COMMAND_PARTITIONS` - 1: a hash of the conversation.',
};

/** `chat.results.{gatewayId}` and the like. */
export function addressOf(name: keyof typeof subjects): string {
  const subject = subjects[name];
  if (typeof subject === 'string') {
    return subject;
  }
  const parameter = Object.entries(parameters).find(([key]) => key === name)?.[1];
  if (parameter === undefined) {
    throw new Error(`the variable part of the subject ${name} has no name: add it here`);
  }
  return subject(`{${parameter}}` as GatewayId & PresenceReplicaId);
}

/** All subjects of NATS, as AsyncAPI 3: who sends what to whom. */
export function busDocument(): string {
  const schemas = createSchemaCollection();
  const channels: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};

  function channel(
    key: string,
    address: string,
    summary: string,
    payloads: Record<string, { payload: z.ZodType; headers?: object; summary?: string }>,
  ): void {
    const variable = /\{(\w+)\}/.exec(address)?.[1] as
      | keyof typeof parameterDescriptions
      | undefined;
    channels[key] = {
      address,
      summary,
      ...(variable === undefined
        ? {}
        : { parameters: { [variable]: { description: parameterDescriptions[variable] } } }),
      messages: Object.fromEntries(
        Object.entries(payloads).map(([name, { payload, ...rest }]) => [
          name,
          { ...rest, payload: schemas.add(payload) },
        ]),
      ),
    };
  }

  function operation(
    service: ServiceName,
    action: 'send' | 'receive',
    key: string,
    options: { answered?: boolean; queue?: string; summary?: string } = {},
  ): void {
    operations[`${service}.${action}.${key}`] = {
      action,
      ...(options.summary === undefined ? {} : { summary: options.summary }),
      tags: [{ name: service }],
      channel: reference('channels', key),
      messages: [reference('channels', key, 'messages', 'payload')],
      ...(options.queue === undefined ? {} : { bindings: { nats: { queue: options.queue } } }),
      ...(options.answered === true
        ? { reply: { messages: [reference('channels', key, 'messages', 'answer')] } }
        : {}),
    };
  }

  const { subject, deadLetterSubject } = commandSubjects;
  channel(
    'commands',
    `${subject}.{partition}`,
    `JetStream, stream ${commandSubjects.stream} (work queue), one durable consumer \`partition-<n>\` for each partition with one command in flight. A publish acknowledgement means: it will be stored.`,
    { payload: { payload: chatRequestsCommandSchema, headers: commandHeaders } },
  );
  operation('socket-gateway', 'send', 'commands', {
    summary: 'A group commit: requests of one partition in the order they were accepted.',
  });
  operation('message-service', 'receive', 'commands', {
    summary: 'Authorises, stores, broadcasts, tells the result; then acknowledges.',
  });
  channel(
    'deadLetters',
    `${deadLetterSubject}.{partition}`,
    `JetStream, stream ${commandSubjects.deadLetterStream}: commands, or single requests of them, that failed by themselves. Kept for 30 days at most; \`npm run operate -- dead-letters\` shows and replays them.`,
    {
      payload: {
        payload: chatRequestsCommandSchema,
        headers: deadLetterHeaders,
        summary: 'As it was; one that could not be read may be anything.',
      },
    },
  );
  operation('message-service', 'send', 'deadLetters');

  const names = Object.keys(busCatalogue) as (keyof typeof busCatalogue)[];
  for (const name of names) {
    const entry: BusEntry = busCatalogue[name];
    const answered = entry.answer !== undefined;
    channel(name, addressOf(name), entry.description, {
      payload: { payload: entry.payload },
      ...(entry.answer === undefined ? {} : { answer: { payload: replySchema(entry.answer) } }),
    });
    for (const service of entry.from) {
      operation(service, 'send', name, { answered });
    }
    for (const service of entry.to) {
      operation(service, 'receive', name, answered ? { answered, queue: service } : {});
    }
  }

  return renderAsyncDocument({
    info: {
      title: 'BamboChat between its services',
      version: '0.1.0',
      description:
        'Subjects of NATS. Nothing here is for clients. Commands go through JetStream and are stored; everything else is core NATS, at most once, to whoever listens. Operations are named by the service, what it does and the channel.',
    },
    servers: {
      nats: {
        host: '127.0.0.1:4222',
        protocol: 'nats',
        description: '`NATS_URL`; nats-server 2.9 or newer with JetStream.',
      },
    },
    channels,
    operations,
    components: { schemas: schemas.schemas() },
  });
}

const commandHeaders = {
  type: 'object',
  properties: {
    [commandSubjects.traceparent]: {
      type: 'string',
      description:
        'W3C Trace Context, once for each request in order, `-` for one that is not traced. Absent: none is.',
    },
  },
};

const deadLetterHeaders = {
  type: 'object',
  properties: {
    [commandSubjects.deadLetterReason]: {
      type: 'string',
      description: 'Why it is a dead letter, in one line.',
    },
    'Nats-Msg-Id': {
      type: 'string',
      description: 'Of the command and its content: a repetition keeps one copy.',
    },
  },
  required: [commandSubjects.deadLetterReason],
};
