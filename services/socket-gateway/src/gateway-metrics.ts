import type { Metrics } from '@bambochat/runtime';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

export function createGatewayMetrics(metrics: Metrics) {
  return {
    connects: metrics.counter({
      name: 'bambochat_connects_total',
      help: 'Handshakes that were accepted.',
    }),
    refusals: metrics.counter({
      name: 'bambochat_connect_refusals_total',
      help: 'Handshakes that were refused, by error code.',
      labelNames: ['code'],
    }),
    requestRefusals: metrics.counter({
      name: 'bambochat_request_refusals_total',
      help: 'Connections that were refused before their handshake, by reason.',
      labelNames: ['reason'],
    }),
    handshakeDuration: metrics.histogram({
      name: 'bambochat_handshake_duration_seconds',
      help: 'Handshakes that were accepted, from asking to being in all rooms.',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    handshakeRetries: metrics.counter({
      name: 'bambochat_handshake_retries_total',
      help: 'Times that the directory was to be asked again for a handshake.',
    }),
    slowReaders: metrics.counter({
      name: 'bambochat_slow_readers_cut_total',
      help: 'Connections that were cut off because they did not read.',
    }),
    disconnects: metrics.counter({
      name: 'bambochat_disconnects_total',
      help: 'Sockets that went, by reason as Socket.IO names it.',
      labelNames: ['reason'],
    }),
    events: metrics.counter({
      name: 'bambochat_events_total',
      help: 'Events received from clients.',
      labelNames: ['event'],
    }),
    eventErrors: metrics.counter({
      name: 'bambochat_event_errors_total',
      help: 'Events that were answered with an error, by code.',
      labelNames: ['event', 'code'],
    }),
    confirmDuration: metrics.histogram({
      name: 'bambochat_confirm_duration_seconds',
      help: 'From receiving send_message to confirming it.',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    }),
    acceptDuration: metrics.histogram({
      name: 'bambochat_accept_duration_seconds',
      help: 'From receiving a message, mark or reaction until the command log has it (PubAck).',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    }),
    resultTransit: metrics.histogram({
      name: 'bambochat_result_transit_seconds',
      help: 'Results of a command on their way from message-service: by the clocks of both.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    }),
    liveDelay: metrics.histogram({
      name: 'bambochat_live_delay_seconds',
      help: "From a message's createdAt to its sockets here, over Redis: storing and both clocks included.",
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    }),
    presenceReports: metrics.counter({
      name: 'bambochat_roster_reports_total',
      help: 'Reports to presence-service, heartbeats and retries included.',
    }),
    presenceReportFailures: metrics.counter({
      name: 'bambochat_roster_report_failures_total',
      help: 'Reports that were not answered, or with an error.',
    }),
    presenceSnapshots: metrics.counter({
      name: 'bambochat_snapshots_delivered_total',
      help: 'Sockets that were told which of their friends are online.',
    }),
    statuses: metrics.counter({
      name: 'bambochat_statuses_total',
      help: 'Changes of friends, by user here: delivered, or dropped as heard before or hidden.',
      labelNames: ['outcome'],
    }),
    resyncs: metrics.counter({
      name: 'bambochat_resyncs_total',
      help: 'Sockets that were told to fetch what they may have missed.',
    }),
  };
}

/** What a gateway holds, asked for when somebody scrapes: an idle one has no clock for it. */
export interface GatewayHoldings {
  readonly connections: number;
  readonly connectionsMax: number;
  readonly handshakesWaiting: number;
  readonly bufferedBytes: number;
  readonly unconfirmed: number;
}

export function observeHoldings(metrics: Metrics, holdings: () => GatewayHoldings): void {
  const gauge = (name: string, held: keyof GatewayHoldings, help: string) =>
    metrics.read({ type: 'gauge', name, help, read: () => holdings()[held] });
  gauge('bambochat_connections', 'connections', 'Sockets connected now.');
  gauge(
    'bambochat_connections_max',
    'connectionsMax',
    'Connections at which more are refused: MAX_CONNECTIONS.',
  );
  gauge(
    'bambochat_handshakes_waiting',
    'handshakesWaiting',
    'Handshakes that wait for their turn to ask the directory.',
  );
  gauge(
    'bambochat_send_buffer_bytes',
    'bufferedBytes',
    'Bytes that wait for connections which do not take them at once.',
  );
  gauge(
    'bambochat_unconfirmed_messages',
    'unconfirmed',
    'Messages that wait for their confirmation.',
  );
}
