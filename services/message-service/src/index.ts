import type {
  CommandConsumer,
  CommandDelivery,
  CommandLog,
  EventBus,
  Subscription,
} from '@bambochat/messaging';
import { isTransient } from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import {
  type Logger,
  type Metrics,
  type Service,
  type Tracer,
  traceIdOf,
} from '@bambochat/runtime';
import type { DirectoryStore, MessageStore, SyncStore } from '@bambochat/stores';
import { answerConversationOf } from './answer-conversation-of.ts';
import type { MessageSettings } from './config.ts';
import { handleCommand, reportDeadCommand } from './handle-command.ts';
import { createMembershipCache, type MembershipCache } from './membership-cache.ts';
import { createMessageServiceMetrics } from './message-service-metrics.ts';
import { reportLostEvents } from './report-lost-events.ts';
import { createSequencer, type Sequencer } from './sequence-messages.ts';
import { watchCommandLog } from './watch-command-log.ts';

export { type MessageSettings, messageConfig } from './config.ts';

export interface MessageServiceOptions {
  commandLog: CommandLog;
  bus: EventBus;
  rooms: Pick<Rooms, 'emitter' | 'onEmitsLost'>;
  messageStore: MessageStore;
  directoryStore: Pick<DirectoryStore, 'areMembers' | 'markRead'>;
  syncStore: Pick<SyncStore, 'appendChanges'>;
  settings: MessageSettings;
  /** Milliseconds that `drain` lets commands in flight finish. */
  drainTimeout: number;
  logger: Logger;
  metrics: Metrics;
  /** Absent: nothing is traced. */
  tracer?: Tracer | undefined;
}

/** Milliseconds: the bound of what a lost announcement could do. */
const MEMBERSHIP_TTL = 60_000;

/**
 * Consumes commands: authorises, stores, broadcasts, confirms messages, marks and reactions. Any
 * number may run.
 */
export function createMessageService(options: MessageServiceOptions): Service {
  const { logger, commandLog } = options;
  const metrics = createMessageServiceMetrics(options.metrics);
  const sequencers = new Map<number, Sequencer>();
  const cacheSize = Math.max(
    100,
    Math.floor(options.settings.SEQUENCE_CACHE_SIZE / commandLog.partitions),
  );
  let members: MembershipCache | null = null;
  let consumer: CommandConsumer | null = null;
  let questions: Subscription | null = null;
  let lostEvents: Subscription | null = null;
  let watch: { stop(): void } | null = null;

  function sequencerOf(partition: number): Sequencer {
    let sequencer = sequencers.get(partition);
    if (sequencer === undefined) {
      sequencer = createSequencer({
        store: options.messageStore,
        cacheSize,
        onLookups(hits, misses) {
          metrics.sequenceLookups.inc({ outcome: 'hit' }, hits);
          metrics.sequenceLookups.inc({ outcome: 'miss' }, misses);
        },
      });
      sequencers.set(partition, sequencer);
    }
    return sequencer;
  }

  return {
    async start() {
      members = createMembershipCache({
        load: (pairs) => options.directoryStore.areMembers(pairs),
        bus: options.bus,
        max: options.settings.MEMBERSHIP_CACHE_SIZE,
        ttl: MEMBERSHIP_TTL,
        onLookup: (outcome) => metrics.membershipLookups.inc({ outcome }),
      });
      lostEvents = reportLostEvents(options);
      questions = answerConversationOf({ ...options, members });
      // A removal announced from here on must find this cache listening.
      await options.bus.flush();
      const handling = {
        ...options,
        emitter: options.rooms.emitter,
        members,
        stores: options,
        metrics,
        sequencerOf,
        echoToSender: options.settings.ECHO_TO_SENDER,
      };
      consumer = await commandLog.consume(
        async (delivery) => {
          if (delivery.redelivered) {
            metrics.redeliveries.inc();
          } else {
            metrics.commandAge.observe(Math.max(0, Date.now() - delivery.acceptedAt) / 1000);
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
              {
                err: error,
                kind,
                partition: delivery.partition,
                attempt: delivery.attempt,
                ...traceField(delivery),
              },
              'command failed',
            );
          },
          onDeadLetter(delivery, error) {
            logger.error(
              { err: error, partition: delivery.partition, ...traceField(delivery) },
              'command is a dead letter',
            );
            reportDeadCommand(handling, delivery);
          },
        },
      );
      watch = watchCommandLog({ commandLog, metrics });
    },
    async drain() {
      // Others answer from here on.
      questions?.unsubscribe();
      questions = null;
      await consumer?.stop(options.drainTimeout);
      consumer = null;
    },
    async stop() {
      watch?.stop();
      questions?.unsubscribe();
      await consumer?.stop(0);
      lostEvents?.unsubscribe();
      members?.close();
    },
  };
}

/** Of the first request that is traced: outside of its spans log lines do not know it. */
function traceField({ traces }: CommandDelivery): { trace_id?: string } {
  const traceId = traceIdOf(traces?.find((trace) => trace !== ''));
  return traceId === undefined ? {} : { trace_id: traceId };
}
