import { unavailable } from '@bambochat/protocol';
import { jitteredBackoff, pause } from './backoff.ts';
import type { CommandLog } from './command-log.ts';
import { assertPartition } from './command-log.ts';
import { commandSubjects } from './command-subjects.ts';
import { startJetStreamConsumer } from './consume-jetstream.ts';
import { createDeadLetterStore } from './dead-letters-jetstream.ts';
import { readFigures } from './jetstream-figures.ts';
import { ensureTopology, TopologyError } from './jetstream-topology.ts';
import type { NatsConnection } from './nats-connection.ts';
import type { JetStreamApiError } from './nats-errors.ts';
import { isNoResponders, natsFailure, refusedPublish, tooLarge } from './nats-errors.ts';
import { traceHeaders } from './trace-headers.ts';
import { createPartitionConsumers } from './unblock-consumer.ts';

export interface JetStreamCommandLogOptions {
  connection: NatsConnection;
  /** All processes must agree on it. Default 16. */
  partitions?: number;
  /** Copies of the streams in a cluster. Default 1. */
  replicas?: number;
  /** Bytes of commands that may wait; past it `append` is `OVERLOADED`. Default 1 GiB. */
  maxBytes?: number;
  /** Commands that may wait. Default: unlimited but for `maxBytes`. */
  maxMessages?: number;
  /** Bytes of one command. Default 1,000,000: a server's default payload less some headers. */
  maxCommandBytes?: number;
  /** How long a consumer may be silent before another takes its commands, in ms. Default 5000. */
  ackWait?: number;
  /** Default 2000 ms. */
  appendTimeout?: number;
  /** How long to wait for JetStream at the start, in ms. Default 15,000. */
  startTimeout?: number;
  /** Default 50; see README, "A command that kills its process". */
  maxDeliveries?: number;
  /** Default `CHAT_COMMANDS`. */
  streamName?: string;
  /** Commands of partition n go to `<subject>.<n>`. Default `chat.commands`. */
  subject?: string;
  /** Default `CHAT_DEAD_LETTERS`. */
  deadLetterStream?: string;
  /** Default `chat.dead-letters`. */
  deadLetterSubject?: string;
  /** Past it the oldest dead letters go. Default 256 MiB. */
  deadLetterMaxBytes?: number;
}

/** Shortest time between two looks at streams and consumers that an append asked for. */
const REPAIR_PAUSE = 1000;

/**
 * A command log on NATS JetStream. The connection stays the caller's: stop consumers, then drain
 * it.
 *
 * @throws Error at the start when JetStream is not there in time, or when streams or consumers are
 *   not what was asked for and cannot be made so (another number of partitions, an old server).
 */
export async function createJetStreamCommandLog(
  options: JetStreamCommandLogOptions,
): Promise<CommandLog> {
  const { connection, partitions = 16, appendTimeout = 2000, ackWait = 5000 } = options;
  const { streamName = commandSubjects.stream, subject = commandSubjects.subject } = options;
  const { deadLetterStream = commandSubjects.deadLetterStream } = options;
  const { deadLetterSubject = commandSubjects.deadLetterSubject } = options;
  const { maxCommandBytes = 1_000_000, maxDeliveries = 50, startTimeout = 15_000 } = options;
  const topology = {
    streamName,
    subject,
    deadLetterStream,
    deadLetterSubject,
    partitions,
    replicas: options.replicas ?? 1,
    maxBytes: options.maxBytes ?? 1024 ** 3,
    maxMessages: options.maxMessages ?? -1,
    maxCommandBytes,
    ackWait,
    deadLetterMaxBytes: options.deadLetterMaxBytes ?? 256 * 1024 ** 2,
  };
  const manager = await connection.client.jetstreamManager({ checkAPI: false, timeout: 5000 });
  const deadLetters = createDeadLetterStore({
    manager,
    stream: deadLetterStream,
    subject: deadLetterSubject,
    timeout: appendTimeout,
  });
  const consumers = createPartitionConsumers({
    manager,
    connection,
    streamName,
    subject,
    timeout: appendTimeout,
  });
  const decoder = new TextDecoder();

  let running: Promise<void> | undefined;
  const ensure = (): Promise<void> => {
    running ??= ensureTopology(manager, topology).finally(() => {
      running = undefined;
    });
    return running;
  };

  let repairedAt = 0;
  /** Nobody took the command: the stream may be gone, with the disk of the server, say. */
  function repair(): void {
    if (performance.now() - repairedAt < REPAIR_PAUSE) return;
    repairedAt = performance.now();
    ensure().catch((error: unknown) => {
      connection.logger.error({ err: error }, 'the command stream cannot be made again');
    });
  }

  await ensureWithin(ensure, startTimeout);

  return {
    partitions,

    async append(partition, command, traces) {
      assertPartition(partition, partitions);
      if (command.length > maxCommandBytes) throw tooLarge();
      try {
        const target = `${subject}.${partition}`;
        const reply = await connection.request(
          target,
          command,
          appendTimeout,
          traces && traceHeaders(traces),
        );
        const answer = readPublishAnswer(decoder.decode(reply.data));
        if (answer.error) throw refusedPublish(answer.error);
        if (answer.stream !== streamName) throw unavailable('The message queue', answer);
      } catch (error) {
        if (isNoResponders(error)) repair();
        throw natsFailure(error);
      }
    },

    consume: (handler, consumeOptions) =>
      startJetStreamConsumer(
        {
          connection,
          streamName,
          partitions,
          ackWait,
          maxDeliveries,
          deadLetters,
          ensureTopology: ensure,
          consumers,
        },
        handler,
        consumeOptions,
      ),

    async depth() {
      try {
        return (await manager.streams.info(streamName)).state.messages;
      } catch (error) {
        throw natsFailure(error);
      }
    },

    async figures() {
      try {
        return await readFigures(manager, { streamName, deadLetterStream, partitions });
      } catch (error) {
        throw natsFailure(error);
      }
    },

    deadLetters: (limit) => deadLetters.newest(limit),
  };
}

/** A server that has just started has no JetStream for a moment. */
async function ensureWithin(ensure: () => Promise<void>, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  for (let failures = 1; ; failures += 1) {
    try {
      await ensure();
      return;
    } catch (error) {
      if (error instanceof TopologyError) throw error;
      const wait = jitteredBackoff(failures, 50, 1000);
      if (performance.now() + wait >= deadline) {
        throw new Error(
          `The NATS server gave no JetStream within ${timeout} ms: is it started with -js? ` +
            `Its last answer: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
      await pause(wait);
    }
  }
}

function readPublishAnswer(json: string): { stream?: string; error?: JetStreamApiError } {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw unavailable('The message queue', error);
  }
}
