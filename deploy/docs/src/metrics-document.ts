import { type CataloguedMetric, metricsCatalogue, processMetrics } from './metrics-catalogue.ts';

/** Every metric: a section for each set of processes that export the same. */
export async function metricsDocument(): Promise<string> {
  const catalogue = metricsCatalogue();
  const exported = new Map<string, CataloguedMetric & { by: string[] }>();
  for (const [process, metrics] of catalogue) {
    for (const metric of metrics) {
      const known = exported.get(metric.name);
      if (known === undefined) {
        exported.set(metric.name, { ...metric, by: [process] });
      } else {
        known.by.push(process);
      }
    }
  }
  const sections = Map.groupBy(exported.values(), ({ by }) => by.join(', '));
  const all = [...catalogue.keys()].join(', ');
  return [
    '<!-- Written by `npm run docs` (deploy/docs): change the sources, not this file. -->',
    '# Metrics',
    'Every process answers `GET /metrics` in the format of Prometheus, on the port of its health checks. Counters count since the start of the process. A histogram has the series `_bucket` (with the label `le`), `_sum` and `_count`. Rules, alerts and the dashboard on top: [deploy/prometheus](../../prometheus/README.md).',
    ...[...sections].map(([by, metrics]) => section(by === all ? 'all' : by, metrics)),
    nodeSection(await processMetrics()),
    '',
  ].join('\n\n');
}

function section(by: string, metrics: readonly CataloguedMetric[]): string {
  const rows = metrics.map(({ name, type, labels, help }) =>
    [
      `\`${name}\``,
      type,
      unitOf(name),
      labels.map((label) => `\`${label}\``).join(', '),
      help.replaceAll('|', '\\|'),
    ].join(' | '),
  );
  return [
    `## Exported by ${by}`,
    '',
    '| metric | type | unit | labels | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((cells) => `| ${cells} |`),
  ].join('\n');
}

function nodeSection(metrics: readonly CataloguedMetric[]): string {
  return [
    '## Exported by all, collected by prom-client',
    '',
    'On Linux; other systems have fewer of the first kind.',
    '',
    '| metric | type | meaning |',
    '| --- | --- | --- |',
    ...metrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`),
  ].join('\n');
}

function unitOf(name: string): string {
  return /_(seconds|bytes)(_total|_max)?$/.exec(name)?.[1] ?? '';
}
