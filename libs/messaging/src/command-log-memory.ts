import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '@bambochat/protocol';
import type { ConsumePolicy } from './attempt-command.ts';
import {
  ABORT_GRACE,
  announceDeadLetter,
  attemptCommand,
  boundReason,
  consumePolicy,
  reasonOf,
} from './attempt-command.ts';
import type {
  CommandConsumer,
  CommandHandler,
  CommandLog,
  DeadLetter,
  Traces,
} from './command-log.ts';
import { assertPartition } from './command-log.ts';
import { settlesWithin } from './settles-within.ts';

export interface MemoryCommandLogOptions {
  /** Default 16. */
  partitions?: number;
  /** Commands that may be accepted and not yet handled. Default 10,000. */
  maxPending?: number;
  /** Bytes of one command. Default 1 MiB, like a NATS server's. */
  maxCommandBytes?: number;
  /** Dead letters kept, the newest. Default 1000. */
  maxDeadLetters?: number;
}

interface Entry {
  readonly command: Uint8Array;
  readonly traces: Traces | undefined;
  readonly acceptedAt: number;
  delivered: boolean;
}

interface Partition {
  readonly number: number;
  readonly queue: Entry[];
  /** The head of the queue is with a consumer, or about to be. */
  busy: boolean;
  /** Who had the command before. */
  lastConsumer: Consumer | undefined;
}

interface Consumer {
  readonly handler: CommandHandler;
  readonly policy: ConsumePolicy;
  readonly stopping: AbortController;
  readonly finishing: AbortController;
  readonly inFlight: Set<Promise<void>>;
}

/**
 * A command log inside one process, for standalone and tests. It ends with its process: a command
 * that was accepted and not handled is lost then, and so are the dead letters.
 */
export function createMemoryCommandLog(options: MemoryCommandLogOptions = {}): CommandLog {
  const {
    partitions: count = 16,
    maxPending = 10_000,
    maxCommandBytes = 1024 * 1024,
    maxDeadLetters = 1000,
  } = options;
  const partitions = Array.from(
    { length: count },
    (_, number): Partition => ({ number, queue: [], busy: false, lastConsumer: undefined }),
  );
  const consumers: Consumer[] = [];
  const deadLetters: DeadLetter[] = [];
  let pending = 0;
  let turn = 0;

  function keepDeadLetter(partition: number, command: Uint8Array, reason: string): void {
    deadLetters.push({ partition, command, reason, at: new Date().toISOString() });
    if (deadLetters.length > maxDeadLetters) deadLetters.shift();
  }

  function dispatch(partition: Partition): void {
    if (partition.busy || partition.queue.length === 0 || consumers.length === 0) return;
    partition.busy = true;
    // One turn of the loop per command: a handler that only ever waits for micro-tasks (SQLite is
    // synchronous) must not keep sockets from being read while a backlog is worked off.
    setImmediate(() => {
      turn = (turn + 1) % Math.max(1, consumers.length);
      const consumer = consumers[turn];
      const entry = partition.queue[0];
      if (!consumer || !entry) {
        partition.busy = false;
        return;
      }
      const work = handle(partition, entry, consumer).finally(() => {
        consumer.inFlight.delete(work);
        partition.busy = false;
        dispatch(partition);
      });
      consumer.inFlight.add(work);
    });
  }

  async function handle(partition: Partition, entry: Entry, consumer: Consumer): Promise<void> {
    const facts = {
      partition: partition.number,
      command: entry.command,
      traces: entry.traces,
      acceptedAt: entry.acceptedAt,
      redelivered: entry.delivered,
      contiguous: partition.lastConsumer === consumer,
      deadLetter: async (part: Uint8Array, reason: string) =>
        keepDeadLetter(partition.number, part.slice(), boundReason(reason)),
    };
    entry.delivered = true;
    partition.lastConsumer = consumer;
    const outcome = await attemptCommand(facts, consumer.handler, consumer.policy, {
      stopping: consumer.stopping.signal,
      finishing: consumer.finishing.signal,
    });
    if (outcome.kind === 'released') return;
    if (outcome.kind === 'failed') {
      keepDeadLetter(partition.number, entry.command, reasonOf(outcome.error));
      await announceDeadLetter(consumer.policy, outcome.delivery, outcome.error);
    }
    partition.queue.shift();
    pending -= 1;
  }

  return {
    partitions: count,

    async append(partition, command, traces) {
      assertPartition(partition, count);
      if (command.length > maxCommandBytes) {
        throw new AppError('TOO_LARGE', 'The command is too large');
      }
      if (pending >= maxPending) {
        throw new AppError('OVERLOADED', 'Too many messages are waiting, try again later');
      }
      const lane = partitions[partition] as Partition;
      const acceptedAt = Date.now();
      lane.queue.push({ command: command.slice(), traces, acceptedAt, delivered: false });
      pending += 1;
      dispatch(lane);
      // Accepted in the next turn of the loop, so that the batcher gathers what the same turn brings.
      // Were it at once, every message would be a command of its own, and a partition does one in a
      // turn: under overload turns are long, and nearly nothing would be done in them.
      await nextTurn();
    },

    async consume(handler, consumeOptions): Promise<CommandConsumer> {
      const consumer: Consumer = {
        handler,
        policy: consumePolicy(consumeOptions),
        stopping: new AbortController(),
        finishing: new AbortController(),
        inFlight: new Set(),
      };
      consumers.push(consumer);
      for (const partition of partitions) dispatch(partition);
      return {
        async stop(timeout) {
          const place = consumers.indexOf(consumer);
          if (place >= 0) consumers.splice(place, 1);
          consumer.stopping.abort();
          if (!(await settlesWithin(Promise.all(consumer.inFlight), timeout))) {
            consumer.finishing.abort();
            // Longer than handlers get; only a listener that hangs is left behind.
            await settlesWithin(Promise.all(consumer.inFlight), 2 * ABORT_GRACE);
          }
        },
      };
    },

    async depth() {
      return pending;
    },

    async figures() {
      const entries = partitions.flatMap(({ queue }) => queue);
      return {
        partitions: partitions.map(({ number, busy, queue }) => {
          const unacknowledged = busy && queue.length > 0 ? 1 : 0;
          return { partition: number, pending: queue.length - unacknowledged, unacknowledged };
        }),
        oldestAt: entries.reduce<number | null>(
          (oldest, { acceptedAt }) => Math.min(oldest ?? acceptedAt, acceptedAt),
          null,
        ),
        bytes: entries.reduce((sum, { command }) => sum + command.length, 0),
        maxBytes: null,
        deadLetters: deadLetters.length,
      };
    },

    async deadLetters(limit) {
      return deadLetters.toReversed().slice(0, Math.max(0, limit));
    },
  };
}
