import { createMessageServiceMetrics } from '@bambochat/message-service/metrics';
import { createPresenceServiceMetrics } from '@bambochat/presence-service/metrics';
import { createRestMetrics } from '@bambochat/rest';
import {
  createHealth,
  createMetrics,
  type Metrics,
  observeHealth,
  observeMongo,
  observeNats,
  observeProcess,
  observeRooms,
  type RoomsFigures,
} from '@bambochat/runtime';
import { createGatewayMetrics, observeHoldings } from '@bambochat/socket-gateway/metrics';

export interface CataloguedMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

type Registering = (metrics: Metrics) => void;

const never = (): never => {
  throw new Error('the catalogue is never scraped');
};
const counts: RoomsFigures = { broadcasts: 0, deliveries: 0 };
const redis: NonNullable<RoomsFigures['redis']> = {
  connections: [],
  subscriptions: 0,
  resubscriptions: 0,
  interruptions: 0,
  published: 0,
  dropped: 0,
  malformed: 0,
  pending: 0,
};

const gateway: Registering = (metrics) => {
  createGatewayMetrics(metrics);
  observeHoldings(metrics, never);
};
const nats: Registering = (metrics) => observeNats(metrics, never, never);
const mongo: Registering = (metrics) => observeMongo(metrics, never);
const rooms: Registering = (metrics) => observeRooms(metrics, () => counts);
const roomsOnRedis: Registering = (metrics) => observeRooms(metrics, () => ({ ...counts, redis }));

/** What each process registers besides {@link registeredByAll}; held against real processes by a test. */
export const exporters: Readonly<Record<string, readonly Registering[]>> = {
  'socket-gateway': [gateway, roomsOnRedis, nats],
  'message-service': [createMessageServiceMetrics, roomsOnRedis, nats, mongo],
  'presence-service': [createPresenceServiceMetrics, nats, mongo],
  'history-service': [createRestMetrics, mongo],
  'directory-service': [createRestMetrics, nats, mongo],
  web: [],
  standalone: [
    gateway,
    createMessageServiceMetrics,
    createPresenceServiceMetrics,
    createRestMetrics,
    rooms,
  ],
};

const registeredByAll: readonly Registering[] = [
  (metrics) => observeProcess(metrics, 'catalogue').stop(),
  (metrics) => observeHealth(metrics, createHealth()),
];

/** The metrics of ours that each process exports, by the code that registers them. */
export function metricsCatalogue(): ReadonlyMap<string, readonly CataloguedMetric[]> {
  return new Map(
    Object.entries(exporters).map(([process, own]) => [
      process,
      registeredBy([...registeredByAll, ...own]),
    ]),
  );
}

function registeredBy(registering: readonly Registering[]): CataloguedMetric[] {
  const registry = createMetrics({ processMetrics: false });
  const found = new Map<string, CataloguedMetric>();
  const note = (
    type: CataloguedMetric['type'],
    { name, help, labelNames = [] }: { name: string; help: string; labelNames?: readonly string[] },
  ) => found.set(name, { name, type, help, labels: labelNames });
  const recorder: Metrics = {
    counter(options) {
      note('counter', options);
      return registry.counter(options);
    },
    gauge(options) {
      note('gauge', options);
      return registry.gauge(options);
    },
    histogram(options) {
      note('histogram', options);
      return registry.histogram(options);
    },
    read: (metric) => void note(metric.type, metric),
    render: () => registry.render(),
  };
  for (const register of registering) {
    register(recorder);
  }
  return [...found.values()];
}

/** What prom-client collects in every process, `process_…` and `nodejs_…`; without its labels. */
export async function processMetrics(): Promise<CataloguedMetric[]> {
  const { body } = await createMetrics().render();
  const found: CataloguedMetric[] = [];
  for (const [, name = '', help = ''] of body.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const type = new RegExp(`^# TYPE ${name} (\\S+)$`, 'm').exec(body)?.[1];
    if (type !== 'counter' && type !== 'gauge' && type !== 'histogram') {
      throw new Error(`the metric ${name} is a ${type}, which the catalogue does not know`);
    }
    found.push({ name, type, help, labels: [] });
  }
  return found;
}

/** The names that a metric's samples have: a histogram has three. */
export function seriesOf({ name, type }: CataloguedMetric): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
