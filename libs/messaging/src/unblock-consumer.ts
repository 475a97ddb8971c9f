import type { JetStreamManager } from 'nats';
import { consumerName } from './jetstream-topology.ts';
import type { NatsConnection } from './nats-connection.ts';

/**
 * - `free`: nothing is delivered and unacknowledged
 * - `busy`: somebody holds a command, or it is about to be delivered again
 * - `blocked`: the consumer waits for the acknowledgement of a command that is not there any more
 */
export type ConsumerState = 'free' | 'busy' | 'blocked';

export interface PartitionConsumers {
  /** Rejects when JetStream does not answer. */
  state(partition: number): Promise<ConsumerState>;
  /** Deletes the consumer of a partition; whoever pulls from it is told, and makes it again. */
  discard(partition: number): Promise<void>;
}

/**
 * A nats-server that was killed can come back with a consumer that is older than its stream: the
 * command that was delivered last is acknowledged and removed, and the consumer still waits for it.
 * With one command in flight at a time it waits for ever (seen with 2.9.10: once in about eight
 * kill -9 under load). A new consumer begins with the first command that is still there, so nothing is
 * lost by making one.
 */
export function createPartitionConsumers(options: {
  manager: JetStreamManager;
  connection: NatsConnection;
  streamName: string;
  subject: string;
  timeout: number;
}): PartitionConsumers {
  const { manager, connection, streamName, subject, timeout } = options;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  /** Of the first command of the partition from this place in the stream on; null: there is none. */
  async function placeFrom(partition: number, sequence: number): Promise<number | null> {
    const question = { seq: sequence, next_by_subj: `${subject}.${partition}` };
    const reply = await connection.request(
      `$JS.API.STREAM.MSG.GET.${streamName}`,
      encoder.encode(JSON.stringify(question)),
      timeout,
    );
    const answer = JSON.parse(decoder.decode(reply.data)) as {
      message?: { seq: number };
      error?: { code: number; description: string };
    };
    if (answer.message !== undefined) {
      return answer.message.seq;
    }
    if (answer.error?.code === 404) {
      return null;
    }
    throw new Error(`JetStream cannot say what is stored: ${answer.error?.description ?? ''}`);
  }

  return {
    async state(partition) {
      const consumer = await manager.consumers.info(streamName, consumerName(partition));
      if (consumer.num_ack_pending === 0) {
        return 'free';
      }
      const place = await placeFrom(partition, consumer.ack_floor.stream_seq + 1);
      return place !== null && place <= consumer.delivered.stream_seq ? 'busy' : 'blocked';
    },

    async discard(partition) {
      await manager.consumers.delete(streamName, consumerName(partition));
    },
  };
}
