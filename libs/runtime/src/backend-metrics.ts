import type { Metrics } from './metrics.ts';

/** The connection to NATS and the event bus on it, since the start. */
export interface NatsFigures {
  readonly connected: boolean;
  readonly disconnects: number;
  readonly reconnects: number;
}

/** Rooms and what they are spread by, since the start. */
export interface RoomsFigures {
  /** Events handed to sockets of this process: one for each event. */
  readonly broadcasts: number;
  /** The same, one for each socket that it was meant for. */
  readonly deliveries: number;
  /** Absent: there is only this process. */
  readonly redis?: RoomsRedisFigures;
}

export interface RoomsRedisFigures {
  readonly connections: readonly { role: string; ready: boolean; connects: number }[];
  /** Channels that this process wants to hear. */
  readonly subscriptions: number;
  /** Channels that were asked for again on a new connection. */
  readonly resubscriptions: number;
  readonly interruptions: number;
  readonly published: number;
  readonly dropped: number;
  readonly pending: number;
  readonly malformed: number;
}

/** The driver's connection pools of one process, since the start. */
export interface MongoFigures {
  readonly connections: number;
  readonly inUse: number;
  readonly checkoutFailures: number;
  readonly poolsCleared: number;
  readonly heartbeatFailures: number;
}

/** @param droppedEvents of the event bus */
export function observeNats(
  metrics: Metrics,
  figures: () => NatsFigures,
  droppedEvents: () => number,
): void {
  metrics.read({
    type: 'gauge',
    name: 'bambochat_nats_connected',
    help: 'Whether the connection to NATS stands.',
    read: () => (figures().connected ? 1 : 0),
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_nats_disconnects_total',
    help: 'Times that the connection to NATS was lost.',
    read: () => figures().disconnects,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_nats_reconnects_total',
    help: 'Times that the connection to NATS was lost and came back.',
    read: () => figures().reconnects,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_bus_events_dropped_total',
    help: 'Events for other services that could not leave, and ones that came and were no JSON.',
    read: droppedEvents,
  });
}

/** What is about Redis is told only of rooms that are on it. */
export function observeRooms(metrics: Metrics, figures: () => RoomsFigures): void {
  metrics.read({
    type: 'counter',
    name: 'bambochat_broadcasts_total',
    help: 'Events into rooms that had sockets looked for here, whoever emitted them.',
    read: () => figures().broadcasts,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_deliveries_total',
    help: 'Events handed to sockets by these broadcasts: broadcasts × the sockets meant.',
    read: () => figures().deliveries,
  });
  const { redis } = figures();
  if (redis !== undefined) {
    observeRoomsRedis(metrics, () => figures().redis ?? redis);
  }
}

function observeRoomsRedis(metrics: Metrics, figures: () => RoomsRedisFigures): void {
  metrics.read({
    type: 'gauge',
    name: 'bambochat_rooms_redis_ready',
    help: 'Whether the connection of the rooms to Redis can be used: publisher or subscriber.',
    labelNames: ['connection'],
    read: () =>
      figures().connections.map(({ role, ready }) => ({
        labels: { connection: role },
        value: ready ? 1 : 0,
      })),
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_redis_connects_total',
    help: 'Times that the connection of the rooms to Redis got ready, the first included.',
    labelNames: ['connection'],
    read: () =>
      figures().connections.map(({ role, connects }) => ({
        labels: { connection: role },
        value: connects,
      })),
  });
  metrics.read({
    type: 'gauge',
    name: 'bambochat_rooms_subscriptions',
    help: 'Channels of Redis that this process wants to hear, one for each room that it hosts.',
    read: () => figures().subscriptions,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_resubscriptions_total',
    help: 'Channels that were asked for again on a new connection.',
    read: () => figures().resubscriptions,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_interruptions_total',
    help: 'Times that sockets of this process may have missed events from others.',
    read: () => figures().interruptions,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_emits_total',
    help: 'Events published on Redis.',
    read: () => figures().published,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_emits_dropped_total',
    help: 'Events that did not reach Redis: sockets of other processes missed them.',
    read: () => figures().dropped,
  });
  metrics.read({
    type: 'gauge',
    name: 'bambochat_rooms_emits_pending',
    help: 'Events on their way to Redis, unanswered.',
    read: () => figures().pending,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_rooms_events_malformed_total',
    help: 'Messages of other processes that were not understood, and dropped.',
    read: () => figures().malformed,
  });
}

export function observeMongo(metrics: Metrics, figures: () => MongoFigures): void {
  metrics.read({
    type: 'gauge',
    name: 'bambochat_mongodb_connections',
    help: 'Connections to MongoDB that are open.',
    read: () => figures().connections,
  });
  metrics.read({
    type: 'gauge',
    name: 'bambochat_mongodb_connections_in_use',
    help: 'Connections to MongoDB that an operation uses now.',
    read: () => figures().inUse,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_mongodb_checkout_failures_total',
    help: 'Operations that got no connection to MongoDB in time.',
    read: () => figures().checkoutFailures,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_mongodb_pool_clears_total',
    help: 'Times that all connections to a MongoDB server were given up after an error.',
    read: () => figures().poolsCleared,
  });
  metrics.read({
    type: 'counter',
    name: 'bambochat_mongodb_heartbeat_failures_total',
    help: 'Heartbeats of the driver that a MongoDB server did not answer.',
    read: () => figures().heartbeatFailures,
  });
}
