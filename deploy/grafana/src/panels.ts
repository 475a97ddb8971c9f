/** One query of a panel: PromQL, and how its series are called. */
export type Query = readonly [expr: string, legend: string];

export interface PanelPlan {
  readonly title: string;
  /** What a reader has to know who sees it for the first time. */
  readonly description?: string;
  /** Of Grafana: `s`, `bytes`, `short`, `ops`, `percentunit`. */
  readonly unit: 's' | 'bytes' | 'short' | 'ops' | 'percentunit';
  readonly queries: readonly Query[];
  /** A number now, instead of lines over time. */
  readonly stat?: true;
  /** From here on it is bad: coloured where `stat`, a line elsewhere. */
  readonly threshold?: number;
  readonly stack?: true;
}

export interface RowPlan {
  readonly title: string;
  readonly panels: readonly PanelPlan[];
}

const rate = (metric: string) => `rate(${metric}[$__rate_interval])`;
const quantile = (q: number, metric: string, by = 'le') =>
  `histogram_quantile(${q}, sum by (${by}) (${rate(`${metric}_bucket`)}))`;
const hits = (metric: string) => `sum(${rate(`${metric}{outcome="hit"}`)}) / sum(${rate(metric)})`;

/** The dashboard, from the outside in: what users notice first. */
export const rows: readonly RowPlan[] = [
  {
    title: 'Users and connections',
    panels: [
      {
        title: 'Connections',
        unit: 'short',
        stat: true,
        queries: [['bambochat:connections:sum', 'connections']],
      },
      {
        title: 'Share of the connections that gateways take',
        unit: 'percentunit',
        stat: true,
        threshold: 0.8,
        queries: [['max(bambochat_connections / bambochat_connections_max)', 'fullest gateway']],
      },
      {
        title: 'Messages stored',
        unit: 'ops',
        stat: true,
        queries: [['bambochat:messages_stored:rate5m', 'messages']],
      },
      {
        title: 'Confirmed within (p99)',
        unit: 's',
        stat: true,
        threshold: 0.05,
        queries: [['bambochat:confirm_duration_seconds:p99_5m', 'p99']],
      },
      {
        title: 'Connections by gateway',
        unit: 'short',
        stack: true,
        queries: [['bambochat_connections', '{{instance}}']],
      },
      {
        title: 'Connects and disconnects',
        unit: 'ops',
        queries: [
          [`sum(${rate('bambochat_connects_total')})`, 'connects'],
          [`sum by (reason) (${rate('bambochat_disconnects_total')})`, '{{reason}}'],
        ],
      },
      {
        title: 'Refused',
        description: 'Before the handshake by reason, in it by code.',
        unit: 'ops',
        queries: [
          [`sum by (reason) (${rate('bambochat_request_refusals_total')})`, '{{reason}}'],
          [`sum by (code) (${rate('bambochat_connect_refusals_total')})`, '{{code}}'],
        ],
      },
      {
        title: 'Handshakes',
        description: 'How long they take, and how many wait for their turn to ask the directory.',
        unit: 's',
        queries: [
          [quantile(0.5, 'bambochat_handshake_duration_seconds'), 'p50'],
          [quantile(0.99, 'bambochat_handshake_duration_seconds'), 'p99'],
        ],
      },
      {
        title: 'Handshakes waiting, and asked again',
        unit: 'short',
        queries: [
          ['sum(bambochat_handshakes_waiting)', 'waiting'],
          [`sum(${rate('bambochat_handshake_retries_total')})`, 'asked again a second'],
        ],
      },
      {
        title: 'Slow readers',
        unit: 'bytes',
        queries: [['sum by (instance) (bambochat_send_buffer_bytes)', 'waiting at {{instance}}']],
      },
      {
        title: 'Cut off, told to resync',
        unit: 'ops',
        queries: [
          [`sum(${rate('bambochat_slow_readers_cut_total')})`, 'slow readers cut off'],
          [`sum(${rate('bambochat_resyncs_total')})`, 'resyncs'],
        ],
      },
    ],
  },
  {
    title: 'Messages',
    panels: [
      {
        title: 'Messages and changes',
        unit: 'ops',
        queries: [
          [`sum by (outcome) (${rate('bambochat_messages_total')})`, 'messages {{outcome}}'],
          [`sum by (kind, outcome) (${rate('bambochat_changes_total')})`, '{{kind}} {{outcome}}'],
        ],
      },
      {
        title: 'Deliveries',
        description: 'Events handed to sockets; broadcasts × the sockets meant.',
        unit: 'ops',
        queries: [['bambochat:deliveries:rate5m', 'deliveries']],
      },
      {
        title: 'From send_message to its confirmation',
        unit: 's',
        threshold: 0.05,
        queries: [
          ['bambochat:confirm_duration_seconds:p50_5m', 'p50'],
          ['bambochat:confirm_duration_seconds:p95_5m', 'p95'],
          ['bambochat:confirm_duration_seconds:p99_5m', 'p99'],
        ],
      },
      {
        title: 'Each hop on that way (p99)',
        description:
          'Accepting is by the clock of the gateway, the steps by that of message-service. Waiting, the way back and live delivery are between two machines, and only as right as their clocks.',
        unit: 's',
        queries: [
          ['bambochat:accept_duration_seconds:p99_5m', 'accept (gateway → log)'],
          ['bambochat:command_age_seconds:p99_5m', 'wait (log → message-service)'],
          ['bambochat:command_step_duration_seconds:p99_5m', '{{step}}'],
          ['bambochat:result_transit_seconds:p99_5m', 'result (→ gateway)'],
          ['bambochat:live_delay_seconds:p99_5m', 'to the other sockets, from createdAt'],
        ],
      },
      {
        title: 'Events of clients',
        unit: 'ops',
        stack: true,
        queries: [[`sum by (event) (${rate('bambochat_events_total')})`, '{{event}}']],
      },
      {
        title: 'Events answered with an error',
        unit: 'ops',
        queries: [
          [`sum by (event, code) (${rate('bambochat_event_errors_total')})`, '{{event}} {{code}}'],
        ],
      },
      {
        title: 'Unconfirmed',
        unit: 'short',
        queries: [['sum by (instance) (bambochat_unconfirmed_messages)', '{{instance}}']],
      },
      {
        title: 'What caches knew',
        unit: 'percentunit',
        queries: [
          [hits('bambochat_membership_lookups_total'), 'who is a member'],
          [hits('bambochat_sequence_lookups_total'), 'last seq'],
        ],
      },
    ],
  },
  {
    title: 'Commands',
    panels: [
      {
        title: 'Pending',
        unit: 'short',
        queries: [['bambochat:commands_pending:sum', 'commands']],
      },
      {
        title: 'Pending by partition',
        unit: 'short',
        stack: true,
        queries: [['max by (partition) (bambochat_commands_pending)', 'partition {{partition}}']],
      },
      {
        title: 'Being handled',
        unit: 'short',
        queries: [
          ['sum(max by (partition) (bambochat_commands_unacknowledged))', 'unacknowledged'],
        ],
      },
      {
        title: 'Oldest that is not done',
        unit: 's',
        threshold: 30,
        queries: [['bambochat:commands_oldest_age_seconds:max', 'age']],
      },
      {
        title: 'Time of a command',
        unit: 's',
        queries: [
          [quantile(0.5, 'bambochat_command_duration_seconds'), 'p50'],
          [quantile(0.99, 'bambochat_command_duration_seconds'), 'p99'],
        ],
      },
      {
        title: 'Redeliveries and failures',
        unit: 'ops',
        queries: [
          [`sum(${rate('bambochat_command_redeliveries_total')})`, 'delivered again'],
          [`sum by (kind) (${rate('bambochat_command_failures_total')})`, 'failed: {{kind}}'],
          [`sum(${rate('bambochat_dead_letters_total')})`, 'dead letters'],
        ],
      },
      {
        title: 'Dead letters kept',
        unit: 'short',
        stat: true,
        threshold: 1,
        queries: [['max(bambochat_dead_letters_kept)', 'dead letters']],
      },
      {
        title: 'Size of the command log',
        unit: 'bytes',
        queries: [
          ['max(bambochat_command_log_bytes)', 'used'],
          ['max(bambochat_command_log_bytes_max)', 'at most'],
        ],
      },
    ],
  },
  {
    title: 'Rooms and back ends',
    panels: [
      {
        title: 'Dependencies that answer',
        description: '1: all of a service’s processes get an answer.',
        unit: 'short',
        queries: [
          ['min by (job, dependency) (bambochat_dependency_up)', '{{job}} → {{dependency}}'],
        ],
      },
      {
        title: 'Emits',
        unit: 'ops',
        queries: [
          [`sum by (job) (${rate('bambochat_rooms_emits_total')})`, '{{job}} to Redis'],
          [`sum by (job) (${rate('bambochat_rooms_emits_dropped_total')})`, '{{job}} dropped'],
          [
            `sum by (job) (${rate('bambochat_rooms_events_malformed_total')})`,
            '{{job}} not understood',
          ],
        ],
      },
      {
        title: 'Emits on their way',
        unit: 'short',
        queries: [['max by (job) (bambochat_rooms_emits_pending)', '{{job}}']],
      },
      {
        title: 'Rooms that gateways listen to',
        unit: 'short',
        queries: [['bambochat_rooms_subscriptions', '{{instance}}']],
      },
      {
        title: 'Interruptions',
        unit: 'short',
        queries: [
          [
            'sum by (job) (increase(bambochat_rooms_interruptions_total[$__rate_interval]))',
            'rooms of {{job}}',
          ],
          [
            'sum by (job) (increase(bambochat_rooms_redis_connects_total[$__rate_interval]))',
            'Redis connects of {{job}}',
          ],
          [
            'sum by (job) (increase(bambochat_nats_disconnects_total[$__rate_interval]))',
            'NATS lost by {{job}}',
          ],
        ],
      },
      {
        title: 'Channels asked for again',
        unit: 'ops',
        queries: [[`sum by (job) (${rate('bambochat_rooms_resubscriptions_total')})`, '{{job}}']],
      },
      {
        title: 'MongoDB connections',
        unit: 'short',
        queries: [
          ['sum by (job) (bambochat_mongodb_connections)', '{{job}} open'],
          ['sum by (job) (bambochat_mongodb_connections_in_use)', '{{job}} in use'],
        ],
      },
      {
        title: 'MongoDB trouble',
        unit: 'ops',
        queries: [
          [
            `sum by (job) (${rate('bambochat_mongodb_checkout_failures_total')})`,
            '{{job}} no connection',
          ],
          [`sum by (job) (${rate('bambochat_mongodb_pool_clears_total')})`, '{{job}} pool cleared'],
          [
            `sum by (job) (${rate('bambochat_mongodb_heartbeat_failures_total')})`,
            '{{job}} heartbeat failed',
          ],
        ],
      },
      {
        title: 'Bus events dropped',
        unit: 'ops',
        queries: [[`sum by (job) (${rate('bambochat_bus_events_dropped_total')})`, '{{job}}']],
      },
    ],
  },
  {
    title: 'Presence',
    panels: [
      {
        title: 'Transitions',
        unit: 'ops',
        queries: [
          [`sum by (outcome) (${rate('bambochat_presence_transitions_total')})`, '{{outcome}}'],
        ],
      },
      {
        title: 'Waiting',
        unit: 'short',
        queries: [
          ['max(bambochat_presence_pending_transitions)', 'transitions to be told'],
          ['max(bambochat_presence_leaving_users)', 'users in their grace time'],
        ],
      },
      {
        title: 'Announcing',
        unit: 's',
        queries: [
          [quantile(0.5, 'bambochat_presence_announcement_duration_seconds'), 'p50'],
          [quantile(0.99, 'bambochat_presence_announcement_duration_seconds'), 'p99'],
        ],
      },
      {
        title: 'Gateways with a lease',
        unit: 'short',
        queries: [['max(bambochat_presence_gateways)', 'gateways']],
      },
      {
        title: 'Reports of gateways',
        unit: 'ops',
        queries: [
          [`sum by (outcome) (${rate('bambochat_presence_reports_total')})`, '{{outcome}}'],
          [`sum(${rate('bambochat_roster_report_failures_total')})`, 'not answered'],
        ],
      },
      {
        title: 'Told to gateways and users',
        unit: 'ops',
        queries: [
          [`sum(${rate('bambochat_presence_status_messages_total')})`, 'messages to gateways'],
          [`sum(${rate('bambochat_presence_snapshots_total')})`, 'snapshots read'],
          [`sum by (outcome) (${rate('bambochat_statuses_total')})`, 'changes {{outcome}}'],
        ],
      },
      {
        title: 'Repairs and failures',
        unit: 'ops',
        queries: [
          [`sum(${rate('bambochat_presence_digest_mismatches_total')})`, 'digests that differ'],
          [
            `sum by (kind) (${rate('bambochat_presence_announcement_failures_total')})`,
            'announcements {{kind}}',
          ],
          [`sum by (outcome) (${rate('bambochat_presence_sweeps_total')})`, 'sweeps {{outcome}}'],
          [
            `sum by (outcome) (${rate('bambochat_presence_recoveries_total')})`,
            'recoveries {{outcome}}',
          ],
        ],
      },
    ],
  },
  {
    title: 'REST',
    panels: [
      {
        title: 'Requests',
        unit: 'ops',
        stack: true,
        queries: [
          [
            `sum by (job, route) (${rate('bambochat_http_request_duration_seconds_count')})`,
            '{{job}} {{route}}',
          ],
        ],
      },
      {
        title: 'Answers by status',
        unit: 'ops',
        queries: [
          [
            `sum by (job, status) (${rate('bambochat_http_request_duration_seconds_count')})`,
            '{{job}} {{status}}',
          ],
        ],
      },
      {
        title: 'Duration (p99)',
        unit: 's',
        queries: [
          [
            quantile(0.99, 'bambochat_http_request_duration_seconds', 'job, route, le'),
            '{{job}} {{route}}',
          ],
        ],
      },
      {
        title: 'Refused for their rate',
        unit: 'ops',
        queries: [
          [
            `sum by (job, route) (${rate('bambochat_http_request_duration_seconds_count{status="429"}')})`,
            '{{job}} {{route}}',
          ],
        ],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'CPU',
        description: 'Cores. One process uses one, and a little for garbage collection.',
        unit: 'short',
        queries: [
          [
            `${rate('process_cpu_seconds_total')} and on (job, instance) bambochat_build_info`,
            '{{job}} {{instance}}',
          ],
        ],
      },
      {
        title: 'Event loop: active',
        unit: 'percentunit',
        threshold: 0.85,
        queries: [['bambochat:event_loop_active:ratio_rate5m', '{{job}} {{instance}}']],
      },
      {
        title: 'Event loop: delay (p99)',
        unit: 's',
        threshold: 0.1,
        queries: [['bambochat:event_loop_delay_seconds:p99_5m', '{{job}} {{instance}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          [
            'process_resident_memory_bytes and on (job, instance) bambochat_build_info',
            '{{job}} {{instance}}',
          ],
          ['min by (job) (bambochat_memory_limit_bytes)', 'limit of {{job}}'],
        ],
      },
      {
        title: 'Heap used',
        unit: 'bytes',
        queries: [['nodejs_heap_size_used_bytes', '{{job}} {{instance}}']],
      },
      {
        title: 'Garbage collection',
        description: 'Share of the time.',
        unit: 'percentunit',
        queries: [
          [
            `sum by (job, instance) (${rate('nodejs_gc_duration_seconds_sum')})`,
            '{{job}} {{instance}}',
          ],
        ],
      },
      {
        title: 'Started',
        description: 'Starts within the interval, and what drains now.',
        unit: 'short',
        queries: [
          [
            'sum by (job) (changes(process_start_time_seconds[$__rate_interval]) and on (job, instance) bambochat_build_info)',
            'starts of {{job}}',
          ],
          ['sum by (job) (bambochat_draining)', '{{job}} draining'],
        ],
      },
      {
        title: 'Versions',
        unit: 'short',
        queries: [
          ['count by (service, version) (bambochat_build_info)', '{{service}} {{version}}'],
        ],
      },
    ],
  },
];
