import { commandSubjects } from '@bambochat/messaging';
import { consumerName, partitionsNote } from '@bambochat/messaging/nats';
import type { JetStreamManager } from 'nats';
import { RefusedError } from './command.ts';
import { type CommandStreams, partitionsOf } from './command-streams.ts';

export interface PartitionsStatus {
  readonly partitions: number;
  /** Commands that were accepted and are not handled yet. */
  readonly waiting: number;
  /** Partitions that some message-service takes commands of at this moment. */
  readonly served: number;
  /** Of the newest command that was ever accepted. */
  readonly lastSequence: number;
}

export async function partitionsStatus(
  manager: JetStreamManager,
  streams: Pick<CommandStreams, 'stream'> = commandSubjects,
): Promise<PartitionsStatus> {
  const { state } = await manager.streams.info(streams.stream);
  let served = 0;
  for await (const { num_waiting, num_ack_pending } of manager.consumers.list(streams.stream)) {
    served += num_waiting > 0 || num_ack_pending > 0 ? 1 : 0;
  }
  return {
    partitions: await partitionsOf(manager, streams),
    waiting: state.messages,
    served,
    lastSequence: state.last_seq,
  };
}

/**
 * Gives the stream another number of partitions. Order rests on all commands of a conversation being
 * in one partition, so nothing may be in the stream, and nobody may put something in or take it out,
 * when the number changes.
 *
 * @param quiet milliseconds in which no command may come: gateways that still run show themselves
 * @throws RefusedError when the stream is not at rest. Nothing has changed then, or, when a gateway
 *   wakes up in the very moment, it says so and may be run again.
 */
export async function changePartitions(
  manager: JetStreamManager,
  partitions: number,
  options: {
    streams?: Pick<CommandStreams, 'stream'>;
    quiet: number;
    pause: (duration: number) => Promise<unknown>;
  },
): Promise<PartitionsStatus> {
  const { streams = commandSubjects, quiet, pause } = options;
  const before = await partitionsStatus(manager, streams);
  assertAtRest(before);
  await pause(quiet);
  const after = await partitionsStatus(manager, streams);
  assertAtRest(after);
  if (after.lastSequence !== before.lastSequence) {
    throw new RefusedError('commands are still coming: stop all gateways first');
  }
  for (let partition = partitions; partition < before.partitions; partition += 1) {
    await manager.consumers.delete(streams.stream, consumerName(partition));
  }
  // Processes that are started with another number than this are refused from the first command on.
  await manager.streams.update(streams.stream, { description: partitionsNote(partitions) });
  const changed = await partitionsStatus(manager, streams);
  if (changed.lastSequence !== before.lastSequence) {
    throw new RefusedError(
      'a command came in the meantime: a gateway still runs. Stop it, start message-services with the OLD number until nothing waits, stop them and run this again',
    );
  }
  return changed;
}

function assertAtRest({ waiting, served }: PartitionsStatus): void {
  if (waiting > 0) {
    throw new RefusedError(
      `${waiting} commands wait: let the message-services handle them, with all gateways stopped`,
    );
  }
  if (served > 0) {
    throw new RefusedError(`${served} partitions are served: stop all message-services first`);
  }
}
