import { describe, expect, test } from 'vitest';
import { processes } from './configuration-document.ts';
import { exporters, metricsCatalogue, processMetrics } from './metrics-catalogue.ts';

const all = [...metricsCatalogue()].flatMap(([process, metrics]) =>
  metrics.map((metric) => ({ process, ...metric })),
);

describe('the metrics', () => {
  test('are those of every process', () => {
    expect(Object.keys(exporters).toSorted()).toEqual(Object.keys(processes).toSorted());
  });

  // https://prometheus.io/docs/practices/naming: base units, `_total` for counters alone.
  test.each([...new Map(all.map((metric) => [metric.name, metric])).values()])(
    '$name keeps the conventions of Prometheus',
    ({ name, type, labels, help }) => {
      expect(name).toMatch(/^bambochat(_[a-z]+)+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent|count|sum|bucket)$/);
      if (type === 'histogram') {
        expect(name).toMatch(/_(seconds|bytes)$/);
      }
      expect(help).toMatch(/^[A-Z].*\S$/);
      expect(help.length).toBeLessThan(130);
      // Who or what a message belongs to would be labels without bound.
      for (const label of labels) {
        expect(boundedLabels).toContain(label);
      }
    },
  );

  test('mean one thing in every process', () => {
    for (const [name, metrics] of Map.groupBy(all, (metric) => metric.name)) {
      const meanings = metrics.map(({ type, labels, help }) =>
        JSON.stringify({ type, labels, help }),
      );
      expect(new Set(meanings).size, name).toBe(1);
    }
  });

  test('of prom-client are those that alerts rely on', async () => {
    const names = (await processMetrics()).map(({ name }) => name);
    expect(names).toContain('process_start_time_seconds');
    expect(names).toContain('process_resident_memory_bytes');
    expect(names).toContain('nodejs_gc_duration_seconds');
  });
});

/** Their values are few, and known in advance. */
const boundedLabels = [
  'code',
  'connection',
  'dependency',
  'event',
  'kind',
  'method',
  'outcome',
  'partition',
  'reason',
  'route',
  'service',
  'status',
  'step',
  'version',
];
