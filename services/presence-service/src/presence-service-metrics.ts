import type { Metrics } from '@bambochat/runtime';

export type PresenceServiceMetrics = ReturnType<typeof createPresenceServiceMetrics>;

export function createPresenceServiceMetrics(metrics: Metrics) {
  return {
    reports: metrics.counter({
      name: 'bambochat_presence_reports_total',
      help: 'Reports of gateways, by outcome: quiet, changed, stale (came too late) or failed.',
      labelNames: ['outcome'],
    }),
    repairs: metrics.counter({
      name: 'bambochat_presence_digest_mismatches_total',
      help: 'Reports whose digest did not agree with the store: the gateway repairs it.',
    }),
    transitions: metrics.counter({
      name: 'bambochat_presence_transitions_total',
      help: 'Transitions of users settled, by whether friends had to be told: told or silent.',
      labelNames: ['outcome'],
    }),
    announcementDuration: metrics.histogram({
      name: 'bambochat_presence_announcement_duration_seconds',
      help: 'From claiming transitions to their last commit, when it succeeded.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    announcementFailures: metrics.counter({
      name: 'bambochat_presence_announcement_failures_total',
      help: 'Announcements to be done again, by whether friends may have heard: unheard or unsure.',
      labelNames: ['kind'],
    }),
    statusMessages: metrics.counter({
      name: 'bambochat_presence_status_messages_total',
      help: 'Messages with statuses that were published to gateways.',
    }),
    snapshots: metrics.counter({
      name: 'bambochat_presence_snapshots_total',
      help: 'Users whose online friends were read.',
    }),
    sweeps: metrics.counter({
      name: 'bambochat_presence_sweeps_total',
      help: 'Rounds of making time pass, by outcome: done, held (no bus, or just back) or failed.',
      labelNames: ['outcome'],
    }),
    recoveries: metrics.counter({
      name: 'bambochat_presence_recoveries_total',
      help: 'Recoveries after a new epoch, by outcome: done or failed (tried again).',
      labelNames: ['outcome'],
    }),
    gateways: metrics.gauge({
      name: 'bambochat_presence_gateways',
      help: 'Gateways with a lease; the same on every replica.',
    }),
    pending: metrics.gauge({
      name: 'bambochat_presence_pending_transitions',
      help: 'Transitions that wait to be announced; the same on every replica.',
    }),
    leaving: metrics.gauge({
      name: 'bambochat_presence_leaving_users',
      help: 'Users without a device whose grace is not over; the same on every replica.',
    }),
  };
}
