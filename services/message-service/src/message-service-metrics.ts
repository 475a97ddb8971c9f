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
    commandAge: metrics.histogram({
      name: 'bambochat_command_age_seconds',
      help: 'From accepting a command to its first delivery: by the clocks of the log and this process.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120],
    }),
    commandSteps: metrics.histogram({
      name: 'bambochat_command_step_duration_seconds',
      help: 'Steps of a try: authorise, change (marks and reactions), store (messages), publish.',
      labelNames: ['step'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
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
    sequenceLookups: metrics.counter({
      name: 'bambochat_sequence_lookups_total',
      help: 'Questions for the last seq of a conversation, by whether the cache knew: hit or miss.',
      labelNames: ['outcome'],
    }),
    pending: metrics.gauge({
      name: 'bambochat_commands_pending',
      help: 'Commands accepted and with nobody yet; the same on every replica.',
      labelNames: ['partition'],
    }),
    unacknowledged: metrics.gauge({
      name: 'bambochat_commands_unacknowledged',
      help: 'Commands that are being handled, 0 or 1; the same on every replica.',
      labelNames: ['partition'],
    }),
    oldestAge: metrics.gauge({
      name: 'bambochat_commands_oldest_age_seconds',
      help: 'Age of the oldest command that is not done, 0 when there is none; the same on every replica.',
    }),
    logBytes: metrics.gauge({
      name: 'bambochat_command_log_bytes',
      help: 'Size of the commands that are not done; the same on every replica.',
    }),
    logBytesMax: metrics.gauge({
      name: 'bambochat_command_log_bytes_max',
      help: 'Size at which the command log takes no more; NaN where it is not bounded in bytes.',
    }),
    deadLettersKept: metrics.gauge({
      name: 'bambochat_dead_letters_kept',
      help: 'Dead letters that wait for somebody to look at them; the same on every replica.',
    }),
    looks: metrics.counter({
      name: 'bambochat_command_log_looks_total',
      help: 'Questions for these figures, by outcome: done or failed (they are then absent or NaN).',
      labelNames: ['outcome'],
    }),
  };
}
