import type { JetStreamManager } from 'nats';
import type { CommandLogFigures } from './command-log.ts';
import { partitionOfConsumer } from './jetstream-topology.ts';

/** Three questions to the server, whatever the number of partitions up to 256. */
export async function readFigures(
  manager: JetStreamManager,
  options: { streamName: string; deadLetterStream: string; partitions: number },
): Promise<CommandLogFigures> {
  const [stream, dead, consumers] = await Promise.all([
    manager.streams.info(options.streamName),
    manager.streams.info(options.deadLetterStream),
    listConsumers(manager, options.streamName),
  ]);
  const { state, config } = stream;
  return {
    partitions: consumers
      .filter(({ partition }) => partition < options.partitions)
      .toSorted((one, other) => one.partition - other.partition),
    oldestAt: state.messages === 0 ? null : Date.parse(state.first_ts),
    bytes: state.bytes,
    maxBytes: config.max_bytes > 0 ? config.max_bytes : null,
    deadLetters: dead.state.messages,
  };
}

async function listConsumers(
  manager: JetStreamManager,
  streamName: string,
): Promise<CommandLogFigures['partitions'][number][]> {
  const found: CommandLogFigures['partitions'][number][] = [];
  for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(streamName)) {
    found.push({
      partition: partitionOfConsumer(name),
      pending: num_pending,
      unacknowledged: num_ack_pending,
    });
  }
  return found;
}
