import { randomUUID } from 'node:crypto';
import { type EventBus, type Subscription, settlesWithin } from '@bambochat/messaging';
import { presenceReplicaIdSchema } from '@bambochat/protocol';
import type { Logger, Metrics, Service } from '@bambochat/runtime';
import type { FriendStore, PresenceDurations, PresenceStore, StatusStore } from '@bambochat/stores';
import { type Announcer, createAnnouncer } from './announce-transitions.ts';
import { answerReports } from './answer-reports.ts';
import { answerSnapshots } from './answer-snapshots.ts';
import { startTime, type Time } from './pass-time.ts';
import { createPresenceServiceMetrics } from './presence-service-metrics.ts';
import { createAliveRecorder } from './record-alive.ts';
import { createRecovery, type Recovery } from './recover-presence.ts';

export { type PresenceSettings, presenceConfig, presenceDurations } from './config.ts';

export interface PresenceServiceOptions {
  presenceStore: PresenceStore;
  statusStore: StatusStore;
  friendStore: Pick<FriendStore, 'friendsOf' | 'check'>;
  bus: EventBus;
  /** Those that the presence store has. */
  durations: PresenceDurations;
  /** Milliseconds that `drain` takes at most; half of it is for announcements in flight. */
  drainTimeout: number;
  logger: Logger;
  metrics: Metrics;
}

const queue = 'presence-service';

interface Running {
  subscriptions: Subscription[];
  announcer: Announcer;
  recovery: Recovery;
  time: Time;
  recordAlive: (aliveAt: number) => Promise<void>;
}

/** Who is here, for gateways and for friends. Any number may run. */
export function createPresenceService(options: PresenceServiceOptions): Service {
  const { bus, presenceStore, statusStore, durations, logger } = options;
  /** Milliseconds for a step of ending, but announcements. */
  const step = options.drainTimeout / 4;
  let running: Running | null = null;

  return {
    async start() {
      const metrics = createPresenceServiceMetrics(options.metrics);
      const deps = { ...options, metrics };
      const replicaId = presenceReplicaIdSchema.parse(randomUUID());
      const lastAlive = await statusStore.lastAlive();
      const announcer = createAnnouncer({ ...deps, claim: durations.claim });
      const recovery = createRecovery(deps);
      const alive = createAliveRecorder({ statusStore, interval: durations.lease / 3, logger });
      const subscriptions = [
        ...answerReports({
          ...deps,
          queue,
          replicaId,
          lease: durations.lease,
          onChanged: () => announcer.wake(),
        }),
        answerSnapshots({ ...deps, queue }),
      ];
      await bus.flush();
      const time = startTime({
        bus,
        presenceStore,
        aliveAt: lastAlive === null ? Date.now() : Date.parse(lastAlive),
        onSwept({ pending, recover }) {
          alive.keep(Date.now());
          if (pending) {
            announcer.wake();
          }
          if (recover) {
            recovery.begin();
          }
        },
        metrics,
        logger,
      });
      running = { subscriptions, announcer, recovery, time, recordAlive: alive.record };
    },

    async drain() {
      if (running === null) {
        return;
      }
      const { subscriptions, announcer, recovery, time, recordAlive } = running;
      // Others answer from here on.
      unsubscribe(subscriptions);
      await Promise.all([time.stop(step), recovery.stop(step)]);
      const aliveAt = time.works ? Date.now() : time.aliveAt;
      await announcer.drain(options.drainTimeout / 2);
      await Promise.all([
        time.began ? settlesWithin(recordAlive(aliveAt), step) : null,
        settlesWithin(bus.flush(), step),
      ]);
    },

    async stop() {
      if (running === null) {
        return;
      }
      const { subscriptions, announcer, recovery, time } = running;
      running = null;
      unsubscribe(subscriptions);
      await Promise.all([time.stop(step), recovery.stop(step), announcer.stop(step)]);
    },
  };
}

function unsubscribe(subscriptions: Subscription[]): void {
  for (const subscription of subscriptions.splice(0)) {
    subscription.unsubscribe();
  }
}
