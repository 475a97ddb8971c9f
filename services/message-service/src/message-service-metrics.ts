import type { Metrics } from '@bambochat/runtime';

export type MessageServiceMetrics = ReturnType<typeof createMessageServiceMetrics>;

export function createMessageServiceMetrics(metrics: Metrics) {
  return {
    messages: metrics.counter({
      name: 'bambochat_messages_total',
      help: 'Messages handled, by outcome: stored, duplicate (a retry) or refused (no member).',
      labelNames: ['outcome'],
    }),
    changes: metrics.counter({
      name: 'bambochat_changes_total',
      help: 'Marks (read) and reactions handled, by kind and outcome: done or refused.',
      labelNames: ['kind', 'outcome'],
    }),
    commandDuration: metrics.histogram({
      name: 'bambochat_command_duration_seconds',
      help: 'One try of a command that succeeded, from authorising to confirming.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    }),
    commandFailures: metrics.counter({
      name: 'bambochat_command_failures_total',
      help: 'Failed tries of commands, by kind: transient (waits and tries again) or own.',
      labelNames: ['kind'],
    }),
    redeliveries: metrics.counter({
      name: 'bambochat_command_redeliveries_total',
      help: 'Commands that the log had delivered before.',
    }),
    deadLetters: metrics.counter({
      name: 'bambochat_dead_letters_total',
      help: 'Commands or single requests put aside after failing by themselves.',
    }),
    membershipLookups: metrics.counter({
      name: 'bambochat_membership_lookups_total',
      help: 'Membership checks, by whether the cache knew: hit or miss.',
      labelNames: ['outcome'],
    }),
  };
}
