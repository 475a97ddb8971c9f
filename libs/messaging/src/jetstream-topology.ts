import type { ConsumerConfig, JetStreamManager, StreamConfig, StreamInfo } from 'nats';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  NatsError,
  nanos,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
} from 'nats';

export interface JetStreamTopologyOptions {
  readonly streamName: string;
  readonly subject: string;
  readonly deadLetterStream: string;
  readonly deadLetterSubject: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly maxCommandBytes: number;
  readonly ackWait: number;
  readonly deadLetterMaxBytes: number;
}

/** A setting that cannot be had: asking again does not help, somebody has to decide. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
}

const DEAD_LETTER_MAX_AGE = 30 * 24 * 60 * 60 * 1000;
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;
const CONSUMER_EXISTS = 10148;
/** Refusals (4xx) of a cluster that is still coming together. */
const NOT_YET = new Set([
  10005, // no suitable peers for placement
]);
/** Failures (5xx) that no waiting heals. */
const NEVER = new Set([
  10047, // insufficient storage resources available
  10052, // any other reason why a stream's configuration is not possible
  10074, // replicas > 1 not supported in non-clustered mode
]);

/** The stream's own record of how many partitions it has, in a field that every server keeps. */
export const partitionsNote = (partitions: number) => `${partitions} partitions`;

function notedPartitions(description: string | undefined): number | undefined {
  const noted = /^(\d+) partitions$/.exec(description ?? '')?.[1];
  return noted === undefined ? undefined : Number(noted);
}

export const consumerName = (partition: number) => `partition-${partition}`;

/** NaN for other consumers. */
export function partitionOfConsumer(name: string): number {
  return Number(/^partition-(\d+)$/.exec(name)?.[1]);
}

/**
 * Makes streams and consumers what they should be; safe to call by any number of processes at once
 * and as often as needed. Deletes nothing.
 *
 * @throws TopologyError when the server has or makes something else than what was asked for;
 *   NatsError when it cannot be asked.
 */
export async function ensureTopology(
  manager: JetStreamManager,
  options: JetStreamTopologyOptions,
): Promise<void> {
  await refuseOtherNumber(manager, options);
  await ensureStream(manager, {
    name: options.streamName,
    subjects: [`${options.subject}.*`],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: options.replicas,
    max_bytes: options.maxBytes,
    max_msgs: options.maxMessages,
    max_msg_size: options.maxCommandBytes,
    description: partitionsNote(options.partitions),
  });
  await ensureStream(manager, {
    name: options.deadLetterStream,
    subjects: [`${options.deadLetterSubject}.*`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    num_replicas: options.replicas,
    max_age: nanos(DEAD_LETTER_MAX_AGE),
    max_bytes: options.deadLetterMaxBytes,
  });
  await refuseOtherPartitions(manager, options);
  await Promise.all(
    Array.from({ length: options.partitions }, (_, partition) =>
      ensureConsumer(manager, options.streamName, {
        durable_name: consumerName(partition),
        filter_subject: `${options.subject}.${partition}`,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        replay_policy: ReplayPolicy.Instant,
        ack_wait: nanos(options.ackWait),
        max_ack_pending: 1,
        max_deliver: -1,
      }),
    ),
  );
}

async function ensureStream(
  manager: JetStreamManager,
  wanted: Partial<StreamConfig> & Pick<StreamConfig, 'name'>,
): Promise<void> {
  const what = `stream ${wanted.name}`;
  const existing = (await findStream(manager, wanted.name)) ?? (await addStream(manager, wanted));
  const difference = firstDifference(wanted, existing.config);
  if (!difference) return;
  // The server decides which settings of a stream may change (its size may, its kind may not).
  const updated = await manager.streams.update(wanted.name, wanted).catch((error: unknown) => {
    if (isRefusal(error)) {
      throw new TopologyError(
        `${what} exists with ${difference}, and the server refuses to change it: ` +
          `${error.message}. Drain and delete it, or use another name`,
        { cause: error },
      );
    }
    throw error;
  });
  assertSame(what, wanted, updated.config);
}

async function findStream(
  manager: JetStreamManager,
  name: string,
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (apiErrorNumber(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function addStream(
  manager: JetStreamManager,
  wanted: Partial<StreamConfig> & Pick<StreamConfig, 'name'>,
): Promise<StreamInfo> {
  try {
    const added = await manager.streams.add(wanted);
    assertSame(`stream ${wanted.name}`, wanted, added.config);
    return added;
  } catch (error) {
    // Another replica was faster, with other settings.
    if (apiErrorNumber(error) === STREAM_NAME_IN_USE) return manager.streams.info(wanted.name);
    if (isRefusal(error)) {
      throw new TopologyError(`stream ${wanted.name} cannot be created: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Commands that wait lie where another number put them: others would overtake them. */
async function refuseOtherNumber(
  manager: JetStreamManager,
  { streamName, partitions }: JetStreamTopologyOptions,
): Promise<void> {
  const existing = await findStream(manager, streamName);
  const noted = notedPartitions(existing?.config.description);
  if (existing && noted !== undefined && noted !== partitions && existing.state.messages > 0) {
    throw new TopologyError(
      `stream ${streamName} holds ${existing.state.messages} commands in ${noted} partitions, but ` +
        `${partitions} are configured. All processes must agree on the number. To change it: ` +
        'npm run operate -- partitions',
    );
  }
}

async function refuseOtherPartitions(
  manager: JetStreamManager,
  { streamName, partitions }: JetStreamTopologyOptions,
): Promise<void> {
  for await (const info of manager.consumers.list(streamName)) {
    const number = partitionOfConsumer(info.name);
    if (number >= partitions) {
      throw new TopologyError(
        `stream ${streamName} has a consumer for partition ${number}, but only ${partitions} ` +
          'partitions are configured. All processes must agree on the number. To lower it: ' +
          'npm run operate -- partitions',
      );
    }
  }
}

async function ensureConsumer(
  manager: JetStreamManager,
  streamName: string,
  wanted: Partial<ConsumerConfig> & { durable_name: string },
): Promise<void> {
  const what = `consumer ${wanted.durable_name} of stream ${streamName}`;
  try {
    const info = await manager.consumers.add(streamName, wanted).catch((error: unknown) => {
      // It is there with other settings: 2.9 takes the new ones over right away, later ones ask for
      // an update.
      if (apiErrorNumber(error) !== CONSUMER_EXISTS) throw error;
      return manager.consumers.update(streamName, wanted.durable_name, wanted);
    });
    assertSame(what, wanted, info.config);
  } catch (error) {
    if (isRefusal(error)) {
      throw new TopologyError(`${what} cannot be made what it should be: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Servers leave out settings that they do not know without a word: look at what was made. */
function assertSame(what: string, wanted: object, made: object): void {
  const difference = firstDifference(wanted, made);
  if (difference) {
    throw new TopologyError(`${what}: the NATS server made ${difference}; is it 2.9 or newer?`);
  }
}

function firstDifference(wanted: object, made: object): string | undefined {
  const actual = new Map(Object.entries(made));
  for (const [setting, value] of Object.entries(wanted)) {
    const found: unknown = actual.get(setting);
    if (JSON.stringify(found) !== JSON.stringify(value)) {
      return `${setting} = ${JSON.stringify(found)} instead of ${JSON.stringify(value)}`;
    }
  }
  return undefined;
}

/** The server understood and will not: asking again does not help. */
function isRefusal(error: unknown): error is NatsError {
  const refusal = error instanceof NatsError ? error.api_error : undefined;
  if (!refusal || NOT_YET.has(refusal.err_code ?? 0)) return false;
  return refusal.code < 500 || NEVER.has(refusal.err_code ?? 0);
}

function apiErrorNumber(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}
