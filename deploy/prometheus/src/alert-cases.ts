/** Series in the notation of promtool: `start+step x count`, one sample a minute. */
export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  /** The alert fires an hour into these, and so does nothing else of the same name. */
  readonly bad: Series;
  /** It does not in these: what a good day looks like. */
  readonly good: Series;
}

const steady = (value: number) => `${value}+0x60`;
/** A counter that rises by so much a second. */
const rising = (perSecond: number) => `0+${perSecond * 60}x60`;
/** A counter that stood still for 55 minutes. */
const jumping = (by: number) => `0+0x55 ${by}+0x5`;

/** A histogram of which one in `late` observations a second is above every bucket below `over`. */
function histogram(name: string, buckets: readonly number[], over: number, late = 0.5): Series {
  const labels = (le: string) => {
    const [base = name, own = ''] = name.split('{');
    return `${base}_bucket{${own.replace('}', '')}${own === '' ? '' : ','}le="${le}"}`;
  };
  return Object.fromEntries([
    ...buckets.map((le) => [labels(String(le)), rising(le < over ? 1 - late : 1)]),
    [labels('+Inf'), rising(1)],
  ]);
}

const gateway = 'job="socket-gateway",instance="10.0.0.1:3000"';
const services = [
  'socket-gateway',
  'message-service',
  'presence-service',
  'history-service',
  'directory-service',
];
const allUp = Object.fromEntries(
  services.map((job) => [`up{job="${job}",instance="a:3000"}`, steady(1)]),
);

/** For each alert a bad hour and a good one. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  TargetDown: {
    bad: { ...allUp, 'up{job="message-service",instance="b:3000"}': steady(0) },
    good: { ...allUp, 'up{job="somebody-else",instance="b:3000"}': steady(0) },
  },
  ServiceGone: {
    bad: { ...allUp, 'up{job="presence-service",instance="a:3000"}': '1+0x50 0+0x10' },
    good: { ...allUp, 'up{job="presence-service",instance="b:3000"}': steady(0) },
  },
  Restarting: {
    bad: {
      [`process_start_time_seconds{${gateway}}`]: '0+0x48 100+100x12',
      [`bambochat_build_info{${gateway},service="socket-gateway",version="1"}`]: steady(1),
    },
    good: {
      [`process_start_time_seconds{${gateway}}`]: '0+0x55 100+0x5',
      [`bambochat_build_info{${gateway},service="socket-gateway",version="1"}`]: steady(1),
      'process_start_time_seconds{job="database",instance="c"}': '0+1x60',
    },
  },
  MemoryNearLimit: {
    bad: {
      [`process_resident_memory_bytes{${gateway}}`]: steady(950),
      [`bambochat_memory_limit_bytes{${gateway}}`]: steady(1000),
    },
    good: {
      [`process_resident_memory_bytes{${gateway}}`]: steady(500),
      [`bambochat_memory_limit_bytes{${gateway}}`]: steady(1000),
      // Without a limit there is nothing to be near to.
      'process_resident_memory_bytes{job="message-service",instance="b"}': steady(1e12),
    },
  },
  EventLoopDelayed: {
    bad: histogram(`bambochat_event_loop_delay_seconds{${gateway}}`, [0.01, 0.1, 0.25, 1], 0.25),
    good: histogram(`bambochat_event_loop_delay_seconds{${gateway}}`, [0.01, 0.1, 0.25, 1], 0.01),
  },
  EventLoopBusy: {
    bad: { [`bambochat_event_loop_active_seconds_total{${gateway}}`]: rising(0.95) },
    good: { [`bambochat_event_loop_active_seconds_total{${gateway}}`]: rising(0.5) },
  },
  DependencyDown: {
    bad: { [`bambochat_dependency_up{${gateway},dependency="redis"}`]: steady(0) },
    good: { [`bambochat_dependency_up{${gateway},dependency="redis"}`]: steady(1) },
  },
  ConnectionsNearMax: {
    bad: {
      [`bambochat_connections{${gateway}}`]: steady(45_000),
      [`bambochat_connections_max{${gateway}}`]: steady(50_000),
    },
    good: {
      [`bambochat_connections{${gateway}}`]: steady(20_000),
      [`bambochat_connections_max{${gateway}}`]: steady(50_000),
    },
  },
  ConnectionsRefused: {
    bad: {
      [`bambochat_request_refusals_total{${gateway},reason="too many connections"}`]: rising(2),
    },
    good: { [`bambochat_request_refusals_total{${gateway},reason="draining"}`]: rising(20) },
  },
  HandshakesRefused: {
    bad: { [`bambochat_connect_refusals_total{${gateway},code="UNAVAILABLE"}`]: rising(2) },
    good: { [`bambochat_connect_refusals_total{${gateway},code="AUTH_EXPIRED"}`]: rising(2) },
  },
  TokensRefused: {
    bad: {
      [`bambochat_connect_refusals_total{${gateway},code="AUTH_INVALID"}`]: rising(9),
      [`bambochat_connects_total{${gateway}}`]: rising(1),
    },
    good: {
      [`bambochat_connect_refusals_total{${gateway},code="AUTH_INVALID"}`]: rising(2),
      [`bambochat_connects_total{${gateway}}`]: rising(20),
    },
  },
  EventsFailing: {
    bad: {
      [`bambochat_event_errors_total{${gateway},event="send_message",code="UNAVAILABLE"}`]:
        rising(5),
      [`bambochat_events_total{${gateway},event="send_message"}`]: rising(100),
    },
    good: {
      [`bambochat_event_errors_total{${gateway},event="send_message",code="VALIDATION"}`]:
        rising(50),
      [`bambochat_events_total{${gateway},event="send_message"}`]: rising(100),
    },
  },
  SlowReaders: {
    bad: { [`bambochat_slow_readers_cut_total{${gateway}}`]: rising(1) },
    good: { [`bambochat_slow_readers_cut_total{${gateway}}`]: rising(0.01) },
  },
  ConfirmSlow: {
    bad: histogram('bambochat_confirm_duration_seconds', [0.01, 0.05, 0.1, 0.25, 1], 0.1),
    good: histogram('bambochat_confirm_duration_seconds', [0.01, 0.05, 0.1, 0.25, 1], 0.05),
  },
  ConfirmVerySlow: {
    bad: histogram('bambochat_confirm_duration_seconds', [0.05, 1, 2.5, 10], 2.5),
    good: histogram('bambochat_confirm_duration_seconds', [0.05, 1, 2.5, 10], 1),
  },
  CommandsWait: {
    bad: { 'bambochat_commands_oldest_age_seconds{instance="a"}': '0+60x60' },
    good: { 'bambochat_commands_oldest_age_seconds{instance="a"}': steady(0.2) },
  },
  CommandLagGrowing: {
    bad: {
      'bambochat_commands_pending{instance="a",partition="0"}': '0+5x60',
      'bambochat_commands_pending{instance="b",partition="0"}': '0+5x60',
    },
    // Many, but they are worked off.
    good: {
      'bambochat_commands_pending{instance="a",partition="0"}': steady(20),
      'bambochat_commands_pending{instance="a",partition="1"}': '2000-30x60',
    },
  },
  CommandLogFilling: {
    bad: {
      'bambochat_command_log_bytes{instance="a"}': steady(600),
      'bambochat_command_log_bytes_max{instance="a"}': steady(1000),
    },
    good: {
      'bambochat_command_log_bytes{instance="a"}': steady(600),
      'bambochat_command_log_bytes_max{instance="a"}': 'NaN+0x60',
    },
  },
  CommandFiguresMissing: {
    bad: { 'bambochat_commands_pending{partition="0"}': '0+0x40' },
    good: { 'bambochat_commands_pending{partition="0"}': steady(0) },
  },
  Redeliveries: {
    bad: { 'bambochat_command_redeliveries_total{instance="a"}': rising(0.5) },
    good: { 'bambochat_command_redeliveries_total{instance="a"}': jumping(5) },
  },
  DeadLetters: {
    bad: {
      'bambochat_dead_letters_kept{instance="a"}': '0+0x55 1+0x5',
      'bambochat_dead_letters_kept{instance="b"}': 'NaN+0x60',
    },
    good: { 'bambochat_dead_letters_kept{instance="a"}': '3+0x30 0+0x30' },
  },
  RoomsCutOff: {
    bad: {
      [`bambochat_rooms_redis_ready{${gateway},connection="publisher"}`]: steady(1),
      [`bambochat_rooms_redis_ready{${gateway},connection="subscriber"}`]: steady(0),
    },
    good: {
      [`bambochat_rooms_redis_ready{${gateway},connection="publisher"}`]: steady(1),
      [`bambochat_rooms_redis_ready{${gateway},connection="subscriber"}`]: steady(1),
    },
  },
  EmitsDropped: {
    bad: { [`bambochat_rooms_emits_dropped_total{${gateway}}`]: '0+0x57 40+0x3' },
    good: { [`bambochat_rooms_emits_dropped_total{${gateway}}`]: '0+0x40 40+0x20' },
  },
  NatsCutOff: {
    bad: { [`bambochat_nats_connected{${gateway}}`]: '1+0x50 0+0x10' },
    good: { [`bambochat_nats_connected{${gateway}}`]: '0+0x10 1+0x50' },
  },
  NatsFlapping: {
    bad: { [`bambochat_nats_disconnects_total{${gateway}}`]: '0+1x60' },
    good: { [`bambochat_nats_disconnects_total{${gateway}}`]: jumping(1) },
  },
  BusEventsDropped: {
    bad: { [`bambochat_bus_events_dropped_total{${gateway}}`]: '0+0x57 9+0x3' },
    good: { [`bambochat_bus_events_dropped_total{${gateway}}`]: '0+0x40 9+0x20' },
  },
  MongoTrouble: {
    bad: { 'bambochat_mongodb_checkout_failures_total{job="message-service"}': rising(0.1) },
    good: { 'bambochat_mongodb_checkout_failures_total{job="message-service"}': steady(7) },
  },
  PresenceAnnouncementsFailing: {
    bad: {
      'bambochat_presence_announcement_failures_total{instance="a",kind="unheard"}': rising(1),
    },
    good: {
      'bambochat_presence_announcement_failures_total{instance="a",kind="unsure"}': jumping(3),
    },
  },
  PresenceBehind: {
    bad: { 'bambochat_presence_pending_transitions{instance="a"}': steady(5000) },
    good: { 'bambochat_presence_pending_transitions{instance="a"}': '5000+0x50 10+0x10' },
  },
  PresenceReportsFailing: {
    bad: {
      [`bambochat_roster_report_failures_total{${gateway}}`]: rising(0.5),
      [`bambochat_roster_reports_total{${gateway}}`]: rising(1),
    },
    good: {
      [`bambochat_roster_report_failures_total{${gateway}}`]: rising(0.01),
      [`bambochat_roster_reports_total{${gateway}}`]: rising(1),
    },
  },
  HttpErrors: {
    bad: {
      'bambochat_http_request_duration_seconds_count{job="history-service",status="503"}':
        rising(1),
      'bambochat_http_request_duration_seconds_count{job="history-service",status="200"}':
        rising(9),
    },
    good: {
      'bambochat_http_request_duration_seconds_count{job="history-service",status="404"}':
        rising(1),
      'bambochat_http_request_duration_seconds_count{job="history-service",status="200"}':
        rising(9),
    },
  },
  HttpSlow: {
    bad: histogram(
      'bambochat_http_request_duration_seconds{job="history-service",route="/messages"}',
      [0.1, 0.5, 1, 2.5],
      1,
    ),
    good: histogram(
      'bambochat_http_request_duration_seconds{job="directory-service",route="/api/auth/login"}',
      [0.1, 0.5, 1, 2.5],
      1,
    ),
  },
};
