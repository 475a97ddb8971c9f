import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

/** One sample of a metric that is read when it is asked for. */
export interface Reading<Label extends string = string> {
  labels: Record<Label, string | number>;
  value: number;
}

export interface ReadMetric<Label extends string = string> {
  type: 'counter' | 'gauge';
  name: string;
  help: string;
  labelNames?: readonly Label[];
  /**
   * Called for each scrape: what counts anyway costs nothing more for being shown. A counter gives
   * its whole count, not what was added. A number where there are no labels.
   */
  read(): number | readonly Reading<Label>[] | Promise<readonly Reading<Label>[]>;
}

/**
 * The metrics of one process. Asking twice for one name gives the same metric, so that several
 * services can live in one process.
 */
export interface Metrics {
  counter<Label extends string>(options: CounterConfiguration<Label>): Counter<Label>;
  gauge<Label extends string>(options: GaugeConfiguration<Label>): Gauge<Label>;
  histogram<Label extends string>(options: HistogramConfiguration<Label>): Histogram<Label>;
  /** A counter or gauge whose value somebody else has. */
  read<Label extends string>(metric: ReadMetric<Label>): void;
  /** The Prometheus text format. */
  render(): Promise<{ contentType: string; body: string }>;
}

export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
    for (const { name } of registry.getMetricsAsArray()) {
      // They count the pause between two looks as lag: an idle process would show all of it.
      // `process-metrics.ts` measures the delay itself.
      if (name.startsWith('nodejs_eventloop_lag')) {
        registry.removeSingleMetric(name);
      }
    }
  }
  const known = new Map<string, Counter | Gauge | Histogram>();

  function once<Metric extends Counter | Gauge | Histogram>(
    name: string,
    kind: new (...args: never[]) => Metric,
    make: () => Metric,
  ): Metric {
    const existing = known.get(name);
    if (existing === undefined) {
      const made = make();
      known.set(name, made);
      return made;
    }
    if (!(existing instanceof kind)) {
      throw new Error(`metric ${name} exists as another kind`);
    }
    return existing;
  }

  return {
    counter: <Label extends string>(config: CounterConfiguration<Label>) =>
      once(config.name, Counter<Label>, () => new Counter({ ...config, registers: [registry] })),
    gauge: <Label extends string>(config: GaugeConfiguration<Label>) =>
      once(config.name, Gauge<Label>, () => new Gauge({ ...config, registers: [registry] })),
    histogram: <Label extends string>(config: HistogramConfiguration<Label>) =>
      once(
        config.name,
        Histogram<Label>,
        () => new Histogram({ ...config, registers: [registry] }),
      ),
    read({ type, name, help, labelNames = [], read }) {
      const config = { name, help, labelNames, registers: [registry] };
      if (type === 'gauge') {
        once(name, Gauge<string>, () => {
          const collect = async function (this: Gauge<string>) {
            const now = await read();
            this.reset();
            for (const { labels, value } of readingsOf(now)) {
              this.set(labels, value);
            }
          };
          return new Gauge<string>({ ...config, collect });
        });
      } else {
        once(name, Counter<string>, () => {
          const collect = async function (this: Counter<string>) {
            const now = await read();
            this.reset();
            for (const { labels, value } of readingsOf(now)) {
              this.inc(labels, value);
            }
          };
          return new Counter<string>({ ...config, collect });
        });
      }
    },
    async render() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

function readingsOf(now: number | readonly Reading[]): readonly Reading[] {
  return typeof now === 'number' ? [{ labels: {}, value: now }] : now;
}
