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

/**
 * The metrics of one process. Asking twice for one name gives the same metric, so that several
 * services can live in one process.
 */
export interface Metrics {
  counter<Label extends string>(options: CounterConfiguration<Label>): Counter<Label>;
  gauge<Label extends string>(options: GaugeConfiguration<Label>): Gauge<Label>;
  histogram<Label extends string>(options: HistogramConfiguration<Label>): Histogram<Label>;
  /** The Prometheus text format. */
  render(): Promise<{ contentType: string; body: string }>;
}

export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) {
    // Milliseconds between its looks at the event loop: each wakes the process up, 10 by default.
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
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
    async render() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
