import type { CommandConsumer, CommandLog, EventBus } from '@bambochat/messaging';
import { isTransient } from '@bambochat/protocol';
import type { RoomEmitter } from '@bambochat/rooms';
import type { Logger, Metrics, Service } from '@bambochat/runtime';
import type { DirectoryStore, MessageStore } from '@bambochat/stores';
import { handleCommand, reportDeadCommand } from './handle-command.ts';
import { createMembershipCache, type MembershipCache } from './membership-cache.ts';
import { createMessageServiceMetrics } from './message-service-metrics.ts';
import { createSequencer, type Sequencer } from './sequence-messages.ts';

export { messageConfig } from './config.ts';

export interface MessageServiceOptions {
  commandLog: CommandLog;
  bus: EventBus;
  emitter: RoomEmitter;
  messageStore: MessageStore;
  directoryStore: Pick<DirectoryStore, 'areMembers'>;
  echoToSender: boolean;
  /** (conversation, user) pairs remembered. Default 100,000. */
  membershipCacheSize?: number;
  /** Milliseconds. Default 60,000. */
  membershipCacheTtl?: number;
  /** Conversations whose last `seq` is remembered, over all partitions. Default 50,000. */
  sequenceCacheSize?: number;
  /** Milliseconds that `drain` lets commands in flight finish. */
  drainTimeout: number;
  logger: Logger;
  metrics: Metrics;
}

/** Consumes commands: authorises, sequences, stores, broadcasts, confirms. Any number may run. */
export function createMessageService(options: MessageServiceOptions): Service {
  const { logger, commandLog } = options;
  const metrics = createMessageServiceMetrics(options.metrics);
  const sequencers = new Map<number, Sequencer>();
  const cacheSize = Math.max(
    100,
    Math.floor((options.sequenceCacheSize ?? 50_000) / commandLog.partitions),
  );
  let members: MembershipCache | null = null;
  let consumer: CommandConsumer | null = null;

  function sequencerOf(partition: number): Sequencer {
    let sequencer = sequencers.get(partition);
    if (sequencer === undefined) {
      sequencer = createSequencer({ store: options.messageStore, cacheSize });
      sequencers.set(partition, sequencer);
    }
    return sequencer;
  }

  return {
    async start() {
      members = createMembershipCache({
        load: (pairs) => options.directoryStore.areMembers(pairs),
        bus: options.bus,
        max: options.membershipCacheSize ?? 100_000,
        ttl: options.membershipCacheTtl ?? 60_000,
        onLookup: (outcome) => metrics.membershipLookups.inc({ outcome }),
      });
      // A removal announced from here on must find this cache listening.
      await options.bus.flush();
      const handling = { ...options, members, metrics, sequencerOf };
      consumer = await commandLog.consume(
        async (delivery) => {
          if (delivery.redelivered) {
            metrics.redeliveries.inc();
          }
          const end = metrics.commandDuration.startTimer();
          await handleCommand(handling, delivery);
          end();
        },
        {
          onFailure(delivery, error) {
            const kind = isTransient(error) ? 'transient' : 'own';
            metrics.commandFailures.inc({ kind });
            logger.warn(
              { err: error, kind, partition: delivery.partition, attempt: delivery.attempt },
              'command failed',
            );
          },
          onDeadLetter(delivery, error) {
            logger.error({ err: error, partition: delivery.partition }, 'command is a dead letter');
            reportDeadCommand(handling, delivery);
          },
        },
      );
    },
    async drain() {
      await consumer?.stop(options.drainTimeout);
      consumer = null;
    },
    async stop() {
      await consumer?.stop(0);
      members?.close();
    },
  };
}
