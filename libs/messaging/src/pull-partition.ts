import type { Msg } from 'nats';
import { jitteredBackoff, pause } from './backoff.ts';
import type { JetStreamDelivery } from './jetstream-delivery.ts';
import { acknowledge, acknowledgeAndPull, giveBack, stillWorking } from './jetstream-delivery.ts';
import { consumerName } from './jetstream-topology.ts';
import type { NatsConnection } from './nats-connection.ts';
import type { PartitionConsumers } from './unblock-consumer.ts';

/** How long the server keeps a request for the next command before it says that there is none. */
const PULL_EXPIRES = 30_000;
/** Sign of life of the server for a waiting request. */
const PULL_HEARTBEAT = 3000;
/** Silence after which a request counts as lost (a restarted server knows nothing of it). */
const PULL_LOST = 2.5 * PULL_HEARTBEAT;

const nanoseconds = (ms: number) => ms * 1_000_000;
const pullRequest = JSON.stringify({
  batch: 1,
  expires: nanoseconds(PULL_EXPIRES),
  idle_heartbeat: nanoseconds(PULL_HEARTBEAT),
});

export interface PullPartitionOptions {
  readonly connection: NatsConnection;
  readonly streamName: string;
  readonly partition: number;
  /** Replies to pull requests go to `<inbox>.<number of the request>`. */
  readonly inbox: string;
  /** Ends pulling; what is being handled goes on. */
  readonly stopping: AbortSignal;
  /** Makes stream and consumer again when the server has lost them. */
  readonly ensureTopology: () => Promise<void>;
  /** Looks after what pulling alone does not notice. */
  readonly consumers: PartitionConsumers;
  /** Milliseconds without a delivery after a break, before somebody looks whether it is blocked. */
  readonly suspiciousAfter: number;
  /** True: the command is done. False: give it to somebody else. Never rejects. */
  readonly handle: (delivery: JetStreamDelivery, contiguous: boolean) => Promise<boolean>;
}

/**
 * Takes the commands of one partition, one after the other. At most one request waits at the
 * server, and none while a command is being handled: a process that hangs must not be the first in
 * line for the very command that it holds.
 */
export interface PartitionPuller {
  start(): void;
  receiveCommand(delivery: JetStreamDelivery): void;
  /** An answer without a command: the state of the request whose reply subject it came to. */
  receiveStatus(message: Msg): void;
  /** To be called regularly: keeps what is held, finds out when a request was lost. */
  tick(): void;
  connectionLost(): void;
  connectionBack(): void;
}

export function createPartitionPuller(options: PullPartitionOptions): PartitionPuller {
  const { connection, streamName, partition, inbox, stopping, ensureTopology, handle } = options;
  const { consumers, suspiciousAfter } = options;
  const nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${streamName}.${consumerName(partition)}`;
  const encodedRequest = new TextEncoder().encode(pullRequest);

  /** The one that is being handled. */
  let held: JetStreamDelivery | undefined;
  /** Came although one is being handled, answering a request that was thought lost. */
  let early: JetStreamDelivery | undefined;
  let requestNumber = 0;
  let requestWaits = false;
  let heardAt = 0;
  let failures = 0;
  let recovering = false;
  /** When to look whether the consumer is blocked; null: a command has come since the last break. */
  let lookAt: number | null = null;
  let blockedBefore = false;
  /** Place of the last delivery; unknown after a break, when others may have taken over. */
  let lastSequence: number | undefined;

  function nextInbox(): string {
    requestNumber += 1;
    requestWaits = true;
    heardAt = performance.now();
    return `${inbox}.${requestNumber}`;
  }

  function idle(): boolean {
    return !held && !requestWaits && !recovering && !stopping.aborted && connection.isConnected();
  }

  function pull(): void {
    if (!idle()) return;
    connection.client.publish(nextSubject, encodedRequest, { reply: nextInbox() });
  }

  /** The server refused or forgot the request: look after the consumer, then ask again. */
  async function recover(): Promise<void> {
    if (recovering) return;
    recovering = true;
    failures += 1;
    await pause(jitteredBackoff(failures, 50, 2000), stopping);
    try {
      if (connection.isConnected() && !stopping.aborted) await ensureTopology();
      recovering = false;
      pull();
    } catch (error) {
      connection.logger.warn({ partition, err: error }, 'the command consumer is not there');
      recovering = false;
      // Not connected: connectionBack() asks again.
      if (!stopping.aborted && connection.isConnected()) void recover();
    }
  }

  function suspect(): void {
    blockedBefore = false;
    lookAt = performance.now() + suspiciousAfter;
  }

  /** Only a server that was away forgets, so a partition through which commands come is not asked. */
  async function look(): Promise<void> {
    lookAt = null;
    try {
      const state = await consumers.state(partition);
      if (state === 'free') return;
      if (state === 'blocked' && blockedBefore) {
        connection.logger.warn({ partition }, 'the command consumer is blocked, making another');
        await consumers.discard(partition);
      }
      // Seen twice, so that nothing that was only on its way is taken for it.
      blockedBefore = state === 'blocked' && !blockedBefore;
    } catch (error) {
      connection.logger.warn(
        { partition, err: error },
        'the command consumer does not say its state',
      );
    }
    lookAt = performance.now() + suspiciousAfter;
  }

  function take(delivery: JetStreamDelivery): void {
    failures = 0;
    lookAt = null;
    if (stopping.aborted) {
      giveBack(delivery);
    } else if (!held) {
      void process(delivery);
    } else if (held.streamSequence === delivery.streamSequence) {
      // Our own command again, because the deadline passed: go on, and acknowledge this delivery.
      held = delivery;
      lastSequence = undefined;
    } else if (!early || early.streamSequence === delivery.streamSequence) {
      early = delivery;
    } else {
      giveBack(delivery, 1000);
    }
  }

  async function process(first: JetStreamDelivery): Promise<void> {
    for (let next: JetStreamDelivery | undefined = first; next; ) {
      held = next;
      const contiguous = next.deliveryCount === 1 && next.consumerSequence - 1 === lastSequence;
      lastSequence = next.consumerSequence;
      const done = await handle(next, contiguous);
      const delivery: JetStreamDelivery = held;
      held = undefined;
      next = early;
      early = undefined;
      if (next && stopping.aborted) {
        giveBack(next);
        next = undefined;
      }
      settle(delivery, done, next === undefined);
    }
  }

  function settle(delivery: JetStreamDelivery, done: boolean, wantsNext: boolean): void {
    if (!done) giveBack(delivery);
    else if (wantsNext && idle()) acknowledgeAndPull(delivery, pullRequest, nextInbox());
    else acknowledge(delivery);
    if (wantsNext) pull();
  }

  function readStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    heardAt = performance.now();
    if (code === 100) return;
    requestWaits = false;
    // Timeout (408) and "no messages" (404) are the normal end of a request. All others, such as
    // 409 (consumer deleted, leadership change) and 503 (nobody there), mean trouble.
    if (code === 408 || code === 404) {
      failures = 0;
      pull();
    } else if (!stopping.aborted) {
      void recover();
    }
  }

  return {
    start() {
      suspect();
      pull();
    },

    receiveCommand(delivery) {
      requestWaits = false;
      take(delivery);
    },

    receiveStatus(message) {
      // Others are about requests that were given up.
      if (requestWaits && message.subject === `${inbox}.${requestNumber}`) readStatus(message);
    },

    tick() {
      if (!connection.isConnected()) return;
      if (held) stillWorking(held);
      if (early) stillWorking(early);
      if (lookAt !== null && !held && !stopping.aborted && performance.now() > lookAt) void look();
      if (requestWaits && performance.now() - heardAt > PULL_LOST) {
        requestWaits = false;
        void recover();
      }
    },

    connectionLost() {
      requestWaits = false;
      lastSequence = undefined;
    },

    connectionBack() {
      lastSequence = undefined;
      if (held) stillWorking(held);
      if (early) stillWorking(early);
      suspect();
      pull();
    },
  };
}
