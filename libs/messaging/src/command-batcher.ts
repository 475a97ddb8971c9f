import { AppError, unavailable } from '@bambochat/protocol';
import { jitteredBackoff, pause } from './backoff.ts';
import type { CommandLog, Traces } from './command-log.ts';
import { partitionOf } from './command-log.ts';

/**
 * Group commit in front of {@link CommandLog.append}: while one append of a partition is in flight,
 * items for it gather, and the next command takes them together. A log may accept faster than its
 * consumer works, so they also gather while enough commands of the partition are unanswered: there
 * they would only wait one by one. Load makes batches grow instead of queues.
 */
export interface CommandBatcher<Item> {
  /**
   * Resolves when the log has accepted the command that holds the item. Items of one partition are
   * appended in the order of their `submit` calls; a batch that the log could not take is tried
   * again before anything behind it.
   *
   * An item is never appended after its promise has rejected, with one exception: when the last
   * append of its batch timed out, the log may have the command all the same. Retrying such an item
   * must therefore be safe.
   *
   * @param key the conversation's id: decides the partition.
   * @throws AppError `OVERLOADED` at once when `maxWaiting` items wait already, or when the log is
   *   full; `UNAVAILABLE` when the log did not accept it within `acceptTimeout` (an append in
   *   flight at that moment is awaited first); `TOO_LARGE` when the item alone exceeds a command.
   */
  submit(key: string, item: Item): Promise<void>;

  /**
   * The oldest unanswered command of this key's partition has been carried out. Who never tells
   * makes commands wait for `gatherTime`, no longer.
   */
  answered(key: string): void;

  /** Items submitted and neither accepted nor rejected yet. */
  readonly waiting: number;

  /** Resolves when nothing is waiting, or after `timeout` ms. Submitting stays possible. */
  drain(timeout: number): Promise<void>;
}

export interface CommandBatcherOptions<Item> {
  log: CommandLog;
  /** One command of one or more items. What it throws for a single item rejects that item. */
  encode(items: Item[]): Uint8Array;
  /** The item's W3C `traceparent`, for the log; absent: nothing is traced. */
  traceOf?: ((item: Item) => string | undefined) | undefined;
  /** Items per command. */
  maxItems: number;
  /** Bytes of an encoded command; a bigger batch is split. Default 768 KiB. */
  maxBytes?: number;
  /** Items that may wait, all partitions together. */
  maxWaiting: number;
  /** From `submit` until accepted, in ms. Default 10,000. */
  acceptTimeout?: number;
  /** Commands of a partition that may be unanswered before items gather. Default: any number. */
  maxUnanswered?: number;
  /** In ms: after that long a command counts as answered. Default 250. */
  gatherTime?: number;
  /** First pause after an append that failed, doubled with full jitter. Default 25 ms. */
  backoff?: number;
  /** Default 500 ms. */
  maxBackoff?: number;
}

interface Entry<Item> {
  readonly item: Item;
  readonly deadline: number;
  resolve(): void;
  reject(error: unknown): void;
}

interface Lane<Item> {
  readonly partition: number;
  queue: Entry<Item>[];
  running: boolean;
  /** Items that the next command may hold; lowered for one command when the log said TOO_LARGE. */
  limit: number;
  /** When the commands were appended that are younger than `gatherTime` and unanswered; oldest first. */
  unanswered: number[];
  /** Ends the gathering; null while nothing gathers. */
  wake: (() => void) | null;
}

export function createCommandBatcher<Item>(
  options: CommandBatcherOptions<Item>,
): CommandBatcher<Item> {
  const { log, encode, maxItems, maxWaiting } = options;
  const { maxBytes = 768 * 1024, acceptTimeout = 10_000, backoff = 25, maxBackoff = 500 } = options;
  const { maxUnanswered = Number.POSITIVE_INFINITY, gatherTime = 250 } = options;
  const lanes = Array.from(
    { length: log.partitions },
    (_, partition): Lane<Item> => ({
      partition,
      queue: [],
      running: false,
      limit: maxItems,
      unanswered: [],
      wake: null,
    }),
  );
  const laneOf = (key: string) => lanes[partitionOf(key, lanes.length)] as Lane<Item>;
  const idleListeners = new Set<() => void>();
  let waiting = 0;

  async function run(lane: Lane<Item>): Promise<void> {
    lane.running = true;
    // Lets what is submitted in the same turn share the first command.
    await undefined;
    while (lane.queue.length > 0) {
      await gather(lane);
      rejectExpired(lane);
      const batch = takeBatch(lane);
      if (batch) await commit(lane, batch.entries, batch.command);
    }
    lane.running = false;
  }

  /** Until there is reason to append: few enough are unanswered, or the command is full. */
  async function gather(lane: Lane<Item>): Promise<void> {
    forgetOld(lane);
    while (lane.unanswered.length >= maxUnanswered && lane.queue.length < lane.limit) {
      const full = new AbortController();
      lane.wake = () => full.abort();
      await pause((lane.unanswered[0] ?? 0) + gatherTime - performance.now(), full.signal);
      lane.wake = null;
      forgetOld(lane);
    }
  }

  function forgetOld({ unanswered }: Lane<Item>): void {
    const since = performance.now() - gatherTime;
    const young = unanswered.findIndex((appendedAt) => appendedAt > since);
    unanswered.splice(0, young < 0 ? unanswered.length : young);
  }

  /** Deadlines rise along the queue, so the expired ones are its head. */
  function rejectExpired(lane: Lane<Item>): void {
    const now = performance.now();
    const alive = lane.queue.findIndex((entry) => entry.deadline > now);
    const expired = lane.queue.splice(0, alive < 0 ? lane.queue.length : alive);
    if (expired.length > 0) settle(expired, unavailable('The message queue'));
  }

  /** As many items from the head as fit into one command; a single one that cannot is rejected. */
  function takeBatch(
    lane: Lane<Item>,
  ): { entries: Entry<Item>[]; command: Uint8Array } | undefined {
    let size = Math.min(lane.queue.length, lane.limit);
    lane.limit = maxItems;
    while (size > 0) {
      const entries = lane.queue.slice(0, size);
      let command: Uint8Array | undefined;
      let failure: unknown;
      try {
        command = encode(entries.map((entry) => entry.item));
        if (command.length <= maxBytes) {
          lane.queue.splice(0, size);
          return { entries, command };
        }
        failure = new AppError('TOO_LARGE', 'The message is too large');
      } catch (error) {
        failure = error;
      }
      if (size === 1) {
        lane.queue.splice(0, 1);
        settle(entries, failure);
        return undefined;
      }
      const share = command ? maxBytes / command.length : 0.5;
      size = Math.max(1, Math.min(size - 1, Math.floor(size * share)));
    }
    return undefined;
  }

  /** Undefined unless something of it is traced. */
  function tracesOf(entries: Entry<Item>[]): Traces | undefined {
    const { traceOf } = options;
    if (traceOf === undefined) return undefined;
    const traces = entries.map(({ item }) => traceOf(item) ?? '');
    return traces.some((trace) => trace !== '') ? traces : undefined;
  }

  async function commit(
    lane: Lane<Item>,
    entries: Entry<Item>[],
    command: Uint8Array,
  ): Promise<void> {
    const deadline = entries[0]?.deadline ?? 0;
    for (let failures = 1; ; failures += 1) {
      const appendedAt = performance.now();
      try {
        // Before it is accepted: the answer may be faster.
        lane.unanswered.push(appendedAt);
        await log.append(lane.partition, command, tracesOf(entries));
        settle(entries);
        return;
      } catch (error) {
        lane.unanswered = lane.unanswered.filter((other) => other !== appendedAt);
        const code = error instanceof AppError ? error.code : undefined;
        if (code === 'TOO_LARGE' && entries.length > 1) {
          lane.limit = Math.ceil(entries.length / 2);
          lane.queue = [...entries, ...lane.queue];
          return;
        }
        const wait = jitteredBackoff(failures, backoff, maxBackoff);
        if (code !== 'UNAVAILABLE' || performance.now() + wait >= deadline) {
          settle(entries, error);
          return;
        }
        await pause(wait);
      }
    }
  }

  function settle(entries: Entry<Item>[], error?: unknown): void {
    waiting -= entries.length;
    for (const entry of entries) {
      if (error === undefined) entry.resolve();
      else entry.reject(error);
    }
    if (waiting === 0) {
      for (const listener of idleListeners) listener();
      idleListeners.clear();
    }
  }

  return {
    get waiting() {
      return waiting;
    },

    submit(key, item) {
      if (waiting >= maxWaiting) {
        return Promise.reject(
          new AppError('OVERLOADED', 'Too many messages are waiting, try again later'),
        );
      }
      const lane = laneOf(key);
      waiting += 1;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      lane.queue.push({ item, deadline: performance.now() + acceptTimeout, resolve, reject });
      // `run` handles every failure of an item itself; it can only reject through a bug here.
      if (!lane.running) void run(lane);
      if (lane.queue.length >= lane.limit) lane.wake?.();
      return promise;
    },

    answered(key) {
      const lane = laneOf(key);
      lane.unanswered.shift();
      lane.wake?.();
    },

    async drain(timeout) {
      if (waiting === 0) return;
      const enough = new AbortController();
      const listener = () => enough.abort();
      idleListeners.add(listener);
      await pause(timeout, enough.signal);
      idleListeners.delete(listener);
    },
  };
}
