import { createInbox } from 'nats';
import type { CommandOutcome, DeliveryFacts } from './attempt-command.ts';
import {
  ABORT_GRACE,
  announceDeadLetter,
  attemptCommand,
  consumePolicy,
  reasonOf,
} from './attempt-command.ts';
import { jitteredBackoff, pause } from './backoff.ts';
import type { CommandConsumer, CommandHandler, ConsumeOptions } from './command-log.ts';
import type { DeadLetterStore } from './dead-letters-jetstream.ts';
import type { JetStreamDelivery } from './jetstream-delivery.ts';
import { readDelivery } from './jetstream-delivery.ts';
import { partitionOfConsumer } from './jetstream-topology.ts';
import type { NatsConnection } from './nats-connection.ts';
import { createPartitionPuller } from './pull-partition.ts';
import { settlesWithin } from './settles-within.ts';
import { tracesIn } from './trace-headers.ts';
import type { PartitionConsumers } from './unblock-consumer.ts';

export interface JetStreamConsumerOptions {
  readonly connection: NatsConnection;
  readonly streamName: string;
  readonly partitions: number;
  readonly ackWait: number;
  /** Deliveries without success after which a command is taken for one that kills processes. */
  readonly maxDeliveries: number;
  readonly deadLetters: DeadLetterStore;
  readonly ensureTopology: () => Promise<void>;
  readonly consumers: PartitionConsumers;
}

/** Longest wait for the server when a consumer stops, on top of the caller's timeout. */
const GOODBYE = 1000;

/** Handles the commands of all partitions, one at a time each, until stopped. */
export async function startJetStreamConsumer(
  options: JetStreamConsumerOptions,
  handler: CommandHandler,
  consumeOptions: ConsumeOptions | undefined,
): Promise<CommandConsumer> {
  const { connection, deadLetters, maxDeliveries } = options;
  const policy = consumePolicy(consumeOptions);
  const stopping = new AbortController();
  const finishing = new AbortController();
  const inFlight = new Set<Promise<boolean>>();
  const inbox = createInbox();

  const pullers = Array.from({ length: options.partitions }, (_, partition) =>
    createPartitionPuller({
      connection,
      streamName: options.streamName,
      partition,
      inbox: `${inbox}.${partition}`,
      stopping: stopping.signal,
      ensureTopology: options.ensureTopology,
      consumers: options.consumers,
      suspiciousAfter: options.ackWait,
      handle(delivery, contiguous) {
        const work = handle(partition, delivery, contiguous).finally(() => inFlight.delete(work));
        inFlight.add(work);
        return work;
      },
    }),
  );

  async function handle(
    partition: number,
    delivery: JetStreamDelivery,
    contiguous: boolean,
  ): Promise<boolean> {
    const { deliveryCount, streamSequence, message, acceptedAt } = delivery;
    const facts: DeliveryFacts = {
      partition,
      command: message.data,
      traces: tracesIn(message.headers),
      redelivered: deliveryCount > 1,
      contiguous,
      acceptedAt,
      deadLetter: (command, reason) =>
        deadLetters.keep({ partition, command, reason }, streamSequence),
    };
    const outcome: CommandOutcome =
      deliveryCount > maxDeliveries
        ? deliveredTooOften(facts, deliveryCount, finishing.signal)
        : await attemptCommand(facts, handler, policy, {
            stopping: stopping.signal,
            finishing: finishing.signal,
          });
    if (outcome.kind !== 'failed') return outcome.kind === 'handled';
    if (!(await keepDeadLetter(facts, reasonOf(outcome.error)))) return false;
    await announceDeadLetter(policy, outcome.delivery, outcome.error);
    return true;
  }

  /** A command may be acknowledged only once its dead letter is stored. */
  async function keepDeadLetter(facts: DeliveryFacts, reason: string): Promise<boolean> {
    for (let failures = 1; ; failures += 1) {
      try {
        await facts.deadLetter(facts.command, reason);
        return true;
      } catch (error) {
        connection.logger.error({ partition: facts.partition, err: error }, 'no dead letter kept');
      }
      if (stopping.signal.aborted) return false;
      await pause(jitteredBackoff(failures, policy.backoff, policy.maxBackoff), stopping.signal);
    }
  }

  const subscription = connection.client.subscribe(`${inbox}.*.*`, {
    callback(error, message) {
      if (error) return;
      // A command arrives under its own subject, only answers about requests under the inbox's.
      const delivery = readDelivery(message);
      if (delivery) {
        pullers[partitionOfConsumer(delivery.consumer)]?.receiveCommand(delivery);
      } else {
        pullers[Number(message.subject.split('.').at(-2))]?.receiveStatus(message);
      }
    },
  });
  const lost = connection.onDisconnect(() => {
    for (const puller of pullers) puller.connectionLost();
  });
  const back = connection.onReconnect(() => {
    for (const puller of pullers) puller.connectionBack();
  });
  const clock = setInterval(() => {
    for (const puller of pullers) puller.tick();
  }, options.ackWait / 3);
  for (const puller of pullers) puller.start();

  async function stop(timeout: number): Promise<void> {
    stopping.abort();
    // Takes the requests that wait back: the server drops those that nobody listens for. What was
    // on its way still arrives before this resolves, and is given back.
    const quiet = connection.isConnected() ? subscription.drain() : unsubscribe();
    if (!(await settlesWithin(Promise.all(inFlight), timeout))) {
      finishing.abort();
      await settlesWithin(Promise.all(inFlight), 2 * ABORT_GRACE);
    }
    await settlesWithin(quiet, GOODBYE);
    clearInterval(clock);
    lost.unsubscribe();
    back.unsubscribe();
    // What the handlers' ends have said to the server has to get there.
    await connection.ping(GOODBYE).catch(() => {});
  }

  async function unsubscribe(): Promise<void> {
    subscription.unsubscribe();
  }

  let stopped: Promise<void> | undefined;
  return {
    stop(timeout) {
      stopped ??= stop(timeout);
      return stopped;
    },
  };
}

function deliveredTooOften(
  facts: DeliveryFacts,
  deliveryCount: number,
  signal: AbortSignal,
): CommandOutcome {
  return {
    kind: 'failed',
    delivery: { ...facts, attempt: 1, signal },
    error: new Error(`delivered ${deliveryCount} times and never finished`),
  };
}
