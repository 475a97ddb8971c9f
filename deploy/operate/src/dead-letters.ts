import { commandSubjects, partitionOf } from '@bambochat/messaging';
import {
  type ChatRequest,
  type ChatRequestsCommand,
  chatRequestsCommandSchema,
} from '@bambochat/protocol';
import { type JetStreamManager, NatsError } from 'nats';
import { RefusedError } from './command.ts';
import { type CommandStreams, partitionsOf } from './command-streams.ts';

/** A command, or one request of it, that failed by itself. */
export interface DeadLetter {
  /** Its number in the stream; stays the same as long as it is kept. */
  readonly number: number;
  readonly at: string;
  /** When it was put aside; the number of partitions may be another now. */
  readonly partition: number;
  readonly reason: string;
  readonly bytes: Uint8Array;
  /** Null: it cannot be read, by this version at least. */
  readonly command: ChatRequestsCommand | null;
}

export interface DeadLetterPage {
  /** Newest first. */
  readonly letters: readonly DeadLetter[];
  /** For the next page; null: there is none. */
  readonly before: number | null;
  /** How many are kept in all. */
  readonly total: number;
}

/** Messages that the server is asked for at a time. */
const READ_AHEAD = 32;
/** What one page may look at: numbers of letters that were dropped are gaps. */
const LOOKED_AT_MAX = 10_000;

/** What was put aside, for operators. Any number of them may work on it at a time. */
export interface DeadLetterDesk {
  page(options: { limit: number; before?: number }): Promise<DeadLetterPage>;
  /** @throws RefusedError when there is none of this number. */
  read(number: number): Promise<DeadLetter>;
  /**
   * Appends its requests to the command log, each to the partition of its conversation, behind what
   * is there; then forgets the letter. Doing it twice, or a crash in between, does no harm: messages
   * are known by their `clientMessageId`, marks only go forward, reactions are known by their
   * `requestId`. Resolves to the partitions.
   *
   * @throws RefusedError when the letter cannot be read, or no service has ever made partitions.
   */
  replay(letter: DeadLetter, options?: { keep?: boolean }): Promise<number[]>;
  drop(number: number): Promise<void>;
}

export function createDeadLetterDesk(
  manager: JetStreamManager,
  streams: CommandStreams = commandSubjects,
): DeadLetterDesk {
  const client = manager.jetstream();

  async function find(number: number): Promise<DeadLetter | undefined> {
    try {
      const stored = await manager.streams.getMessage(streams.deadLetterStream, { seq: number });
      return {
        number,
        at: stored.time.toISOString(),
        partition: Number(stored.subject.slice(streams.deadLetterSubject.length + 1)),
        reason: stored.header?.get(commandSubjects.deadLetterReason) ?? '',
        bytes: stored.data,
        command: decode(stored.data),
      };
    } catch (error) {
      if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
      throw error;
    }
  }

  async function drop(number: number): Promise<void> {
    await manager.streams.deleteMessage(streams.deadLetterStream, number);
  }

  return {
    async page({ limit, before = Number.POSITIVE_INFINITY }) {
      const { state } = await manager.streams.info(streams.deadLetterStream);
      const oldest = Math.max(1, state.first_seq);
      const newest = Math.min(state.last_seq, before - 1);
      const stop = Math.max(oldest, newest - LOOKED_AT_MAX + 1);
      const letters: DeadLetter[] = [];
      let next = newest;
      while (next >= stop && letters.length < limit) {
        const count = Math.min(READ_AHEAD, limit - letters.length, next - stop + 1);
        const from = next;
        const found = await Promise.all(Array.from({ length: count }, (_, i) => find(from - i)));
        letters.push(...found.filter((letter) => letter !== undefined));
        next -= count;
      }
      const hasMore = state.messages > 0 && next >= oldest;
      return { letters, before: hasMore ? next + 1 : null, total: state.messages };
    },

    async read(number) {
      const letter = await find(number);
      if (letter === undefined) {
        throw new RefusedError(
          `there is no dead letter ${number}: it was replayed, dropped or is too old`,
        );
      }
      return letter;
    },

    async replay({ number, command }, { keep = false } = {}) {
      if (command === null) {
        throw new RefusedError(
          `dead letter ${number} is no command that this version can read: it would fail again`,
        );
      }
      const partitions = await partitionsOf(manager, streams);
      if (partitions === 0) {
        throw new RefusedError(`stream ${streams.stream} has no partitions: start a service first`);
      }
      const parts = byPartition(command.requests, partitions);
      for (const [partition, requests] of parts) {
        const part: ChatRequestsCommand = { ...command, requests };
        // The id lets the server itself drop a repetition within its window of two minutes.
        await client.publish(
          `${streams.subject}.${partition}`,
          new TextEncoder().encode(JSON.stringify(part)),
          { msgID: `replay-${number}-${partition}` },
        );
      }
      if (!keep) {
        await drop(number);
      }
      return [...parts.keys()];
    },

    drop,
  };
}

function decode(bytes: Uint8Array): ChatRequestsCommand | null {
  try {
    const parsed = chatRequestsCommandSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** In the order in which they were; requests of one conversation stay together. */
function byPartition(
  requests: readonly ChatRequest[],
  partitions: number,
): Map<number, ChatRequest[]> {
  return Map.groupBy(requests, ({ conversationId }) => partitionOf(conversationId, partitions));
}
