import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  AppError,
  type PresenceReplicaId,
  type PresenceReportAnswer,
  presenceReportSchema,
  subjects,
} from '@bambochat/protocol';
import type { PresenceStore } from '@bambochat/stores';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';
import { understandRequest } from './understand-request.ts';

/**
 * `presence.report`: heartbeat and changes of a gateway. Asks the presence store and nothing else,
 * so that no lease runs out because a database is slow. Answers what is asked of any replica and what
 * is asked of this one: gateways turn to one they know when another does not answer them.
 */
export function answerReports(deps: {
  bus: EventBus;
  presenceStore: Pick<PresenceStore, 'report'>;
  queue: string;
  /** Unique among all replicas that run at the same time. */
  replicaId: PresenceReplicaId;
  /** Milliseconds a lease lives after a report. */
  lease: number;
  /** Some user came or went. */
  onChanged: () => void;
  metrics: PresenceServiceMetrics;
}): Subscription[] {
  const { bus, presenceStore, metrics, queue, replicaId } = deps;
  // Two reports may be lost before the lease is.
  const nextReportIn = Math.floor(deps.lease / 3);

  async function answer(payload: unknown): Promise<PresenceReportAnswer> {
    const report = understandRequest(presenceReportSchema, payload);
    const { stale, changed, buckets, settled } = await presenceStore.report(report);
    if (stale) {
      metrics.reports.inc({ outcome: 'stale' });
      // Whoever still waits for this one must say it again under a higher number.
      throw new AppError('CONFLICT', 'A newer report was there before');
    }
    metrics.reports.inc({ outcome: changed ? 'changed' : 'quiet' });
    if (buckets !== null) {
      metrics.repairs.inc();
    }
    if (changed) {
      deps.onChanged();
    }
    return { replicaId, nextReportIn, buckets, settled };
  }

  async function respond(payload: unknown): Promise<PresenceReportAnswer> {
    try {
      return await answer(payload);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'CONFLICT')) {
        metrics.reports.inc({ outcome: 'failed' });
      }
      throw error;
    }
  }

  return [
    bus.respond(subjects.presenceReport, respond, { queue }),
    bus.respond(subjects.presenceReportTo(replicaId), respond, { queue }),
  ];
}
