/**
 * The durable queue between gateways and message-services.
 *
 * Order: commands of one partition are handled in the order in which their `append` calls were
 * made by one appender; between appenders in the order in which the log accepted them. Partitions
 * are independent.
 *
 * Delivery: at least once. One command per partition is being handled at a time, whatever the
 * number of consumers, with one exception that a handler must survive: a consumer that stalls past
 * the acknowledgement deadline may finish late while another already has the command. Exclusion is
 * the store's unique indexes, never this log.
 *
 * Durability: `append` resolves once the log has the command; from then on it is handled even if
 * appender and consumers go away (the memory log ends with its process: there the process is the
 * whole system, and nothing was confirmed yet).
 *
 * Retry: an `append` that rejected with `UNAVAILABLE` may or may not have been accepted; appending
 * again may make a second copy, so commands must be idempotent.
 */
export interface CommandLog {
  /** Partitions are 0 … partitions − 1. Appender and consumers must agree on the number. */
  readonly partitions: number;

  /**
   * @param traces come with every delivery of the command, but not with dead letters
   * @throws AppError `OVERLOADED` when the log is full, `UNAVAILABLE` when it cannot be reached in
   *   time, `TOO_LARGE` when the command exceeds the log's payload bound.
   */
  append(partition: number, command: Uint8Array, traces?: Traces): Promise<void>;

  /**
   * Handles commands of all partitions, one at a time per partition, until stopped. May be called
   * by any number of processes.
   */
  consume(handler: CommandHandler, options?: ConsumeOptions): Promise<CommandConsumer>;

  /** Commands accepted and not yet handled. */
  depth(): Promise<number>;

  /** How far consumers are behind, for metrics: the same to whoever asks. @throws like `append` */
  figures(): Promise<CommandLogFigures>;

  /** Newest first; for operators and tests. Bounded by the log's own retention. */
  deadLetters(limit: number): Promise<DeadLetter[]>;
}

/**
 * W3C `traceparent` of each item of a command, in their order; empty for one that is not traced.
 * Absent: none is.
 */
export type Traces = readonly string[];

/**
 * Resolves: the command is done. Rejects with a transient AppError (`UNAVAILABLE`, `OVERLOADED`):
 * wait and try again, for as long as it takes; the partition stands still meanwhile. Rejects with
 * anything else: the command itself fails; it is tried `maxAttempts` times and then becomes a dead
 * letter, so that the partition goes on.
 */
export type CommandHandler = (delivery: CommandDelivery) => Promise<void>;

export interface CommandDelivery {
  readonly partition: number;
  readonly command: Uint8Array;
  /** 1 on the first try in this process; rises only with failures that are not transient. */
  readonly attempt: number;
  /**
   * An earlier try, here (a retry in place, after whatever failure) or in another process, may have
   * done a part of it.
   */
  readonly redelivered: boolean;
  /**
   * The command handled before this one in this partition was handled by this consumer too: nobody
   * else did anything in between, so what the handler remembers of the partition still holds. Also
   * true for a retry in place.
   */
  readonly contiguous: boolean;
  readonly traces?: Traces | undefined;
  /** When the log accepted it: milliseconds since the epoch, by the log's clock. */
  readonly acceptedAt: number;
  /** Aborts when the consumer stops and the time to finish is over. */
  readonly signal: AbortSignal;
  /** Puts a part of the command aside, kept and counted, so that the rest can go on. */
  deadLetter(part: Uint8Array, reason: string): Promise<void>;
}

export interface ConsumeOptions {
  /** Tries of a command that fails by itself. Default 5. */
  maxAttempts?: number;
  /** First pause after a failure, doubled with full jitter up to `maxBackoff`. Default 50 ms. */
  backoff?: number;
  /** Default 2000 ms. */
  maxBackoff?: number;
  /** Told after a whole command became a dead letter. */
  onDeadLetter?: (delivery: CommandDelivery, error: unknown) => void | Promise<void>;
  /** Told about every failure, transient ones included; for logs and metrics. */
  onFailure?: (delivery: CommandDelivery, error: unknown) => void;
}

export interface CommandConsumer {
  /** Takes no new command, lets those in flight finish for up to `timeout` ms, then lets go. */
  stop(timeout: number): Promise<void>;
}

export interface CommandLogFigures {
  readonly partitions: readonly {
    readonly partition: number;
    /** Accepted, and with nobody yet. */
    readonly pending: number;
    /** With somebody who has not finished: 0 or 1. */
    readonly unacknowledged: number;
  }[];
  /** When the oldest command that is not finished was accepted; null: there is none. */
  readonly oldestAt: number | null;
  /** What waits, and how much may; null: bounded otherwise. */
  readonly bytes: number;
  readonly maxBytes: number | null;
  /** Dead letters that are kept. */
  readonly deadLetters: number;
}

export interface DeadLetter {
  readonly partition: number;
  readonly command: Uint8Array;
  readonly reason: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
}

/** Stable for ever: changing it would reorder conversations that are in flight. FNV-1a, 32 bit. */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash ^= key.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % partitions;
}

/** A partition out of range is a bug of the caller, not a state of the log. */
export function assertPartition(partition: number, partitions: number): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
    throw new RangeError(`partition ${partition} is not one of 0 … ${partitions - 1}`);
  }
}
