import { commandSubjects } from '@bambochat/messaging';
import { connectNats } from '@bambochat/messaging/nats';
import type { JetStreamManager } from 'nats';

/** The streams of commands and of dead letters; tests name others than the usual ones. */
export interface CommandStreams {
  readonly stream: string;
  readonly subject: string;
  readonly deadLetterStream: string;
  readonly deadLetterSubject: string;
}

const REQUEST_TIMEOUT = 5000;

/** Opens a connection for as long as `work` takes. */
export async function withJetStream<Result>(
  url: string,
  work: (manager: JetStreamManager) => Promise<Result>,
): Promise<Result> {
  const connection = await connectNats({ url, name: 'operate', connectTimeout: REQUEST_TIMEOUT });
  try {
    return await work(await connection.client.jetstreamManager({ timeout: REQUEST_TIMEOUT }));
  } finally {
    await connection.drain();
  }
}

/** How many partitions the stream has: a consumer for each. 0 before any service has started. */
export async function partitionsOf(
  manager: JetStreamManager,
  streams: Pick<CommandStreams, 'stream'> = commandSubjects,
): Promise<number> {
  let count = 0;
  for await (const { name } of manager.consumers.list(streams.stream)) {
    const partition = Number(/^partition-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (partition >= count) {
      count = partition + 1;
    }
  }
  return count;
}
