import { createHash } from 'node:crypto';
import type { JetStreamManager } from 'nats';
import { headers, NatsError } from 'nats';
import { boundReason } from './attempt-command.ts';
import type { DeadLetter } from './command-log.ts';
import { commandSubjects } from './command-subjects.ts';
import { natsFailure } from './nats-errors.ts';

const REASON = commandSubjects.deadLetterReason;
/** Messages fetched at a time when dead letters are read. */
const READ_AHEAD = 32;

export interface DeadLetterStore {
  /**
   * Resolves when the dead letter is stored. Storing the same one again soon, after a retry of its
   * command, keeps one copy.
   * @throws AppError `UNAVAILABLE`.
   */
  keep(letter: Omit<DeadLetter, 'at'>, streamSequence: number): Promise<void>;
  newest(limit: number): Promise<DeadLetter[]>;
}

export interface DeadLetterStoreOptions {
  readonly manager: JetStreamManager;
  readonly stream: string;
  /** Dead letters of partition n go to `<subject>.<n>`. */
  readonly subject: string;
  readonly timeout: number;
}

export function createDeadLetterStore(options: DeadLetterStoreOptions): DeadLetterStore {
  const { manager, stream, subject, timeout } = options;
  const client = manager.jetstream();

  async function read(seq: number): Promise<DeadLetter | undefined> {
    try {
      const stored = await manager.streams.getMessage(stream, { seq });
      return {
        partition: Number(stored.subject.slice(subject.length + 1)),
        command: stored.data,
        reason: stored.header?.get(REASON) ?? '',
        at: stored.time.toISOString(),
      };
    } catch (error) {
      if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
      throw natsFailure(error);
    }
  }

  return {
    async keep({ partition, command, reason }, streamSequence) {
      const header = headers();
      header.set(REASON, boundReason(reason));
      const digest = createHash('sha256').update(command).digest('base64url').slice(0, 22);
      try {
        await client.publish(`${subject}.${partition}`, command, {
          headers: header,
          msgID: `${streamSequence}-${digest}`,
          timeout,
        });
      } catch (error) {
        throw natsFailure(error);
      }
    },

    async newest(limit) {
      const { first_seq, last_seq } = await manager.streams
        .info(stream)
        .then(({ state }) => state)
        .catch((error: unknown) => {
          throw natsFailure(error);
        });
      const letters: DeadLetter[] = [];
      // An empty stream has the sequence 0, which cannot be asked for.
      const oldest = Math.max(1, first_seq);
      for (let seq = last_seq; seq >= oldest && letters.length < limit; seq -= READ_AHEAD) {
        const count = Math.min(READ_AHEAD, seq - oldest + 1);
        const found = await Promise.all(Array.from({ length: count }, (_, i) => read(seq - i)));
        letters.push(...found.filter((letter) => letter !== undefined));
      }
      return letters.slice(0, Math.max(0, limit));
    },
  };
}
