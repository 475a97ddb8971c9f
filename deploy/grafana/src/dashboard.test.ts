import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricsCatalogue, processMetrics, seriesOf } from '@bambochat/docs/metrics';
import { metricsOf, noPromtool, obtainPromtool, ruleFiles, rulesIn } from '@bambochat/prometheus';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { dashboard } from './dashboard.ts';

const folder = new URL('../', import.meta.url);
const kept = await readFile(new URL('dashboards/bambochat.json', folder), 'utf8');

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  targets?: { refId: string; expr: string; legendFormat: string }[];
}

const panels = JSON.parse(kept).panels as Panel[];
const shown = panels.filter(({ type }) => type !== 'row');
/** Grafana puts the interval in; a rule has to name one. */
const expressions = shown.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr: expr.replaceAll('$__rate_interval', '5m') })),
);

test('the dashboard is what its plan says', () => {
  const generated = `${JSON.stringify(dashboard(), null, 2)}\n`;
  expect(kept, 'The dashboard is out of date. Run: npm run docs').toBe(generated);
});

describe('every panel', () => {
  test('has an id and a title of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
  });

  test('lies within the 24 columns, and on no other', () => {
    for (const { gridPos: one, id, title } of panels) {
      expect(one.x + one.w, title).toBeLessThanOrEqual(24);
      const under = panels.filter(
        ({ gridPos: other, id: otherId }) =>
          otherId !== id &&
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h,
      );
      expect(
        under.map((panel) => panel.title),
        title,
      ).toEqual([]);
    }
  });

  test('asks the data source that is chosen at the top', () => {
    const { list } = JSON.parse(kept).templating as { list: { name: string; type: string }[] };
    expect(list).toMatchObject([{ name: 'datasource', type: 'datasource', query: 'prometheus' }]);
    for (const { datasource, targets = [], title } of shown) {
      expect(datasource, title).toEqual({ type: 'prometheus', uid: `\${${list[0]?.name}}` });
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  test('asks for metrics that the services export', async () => {
    const { recordings } = await rulesIn(ruleFiles.recording);
    const catalogue = [...metricsCatalogue().values(), await processMetrics()].flat();
    const known = new Set([
      ...catalogue.flatMap(seriesOf),
      ...recordings.map(({ record }) => record),
    ]);
    for (const { expr, title } of expressions) {
      const asked = metricsOf(expr);
      expect(asked.length, expr).toBeGreaterThan(0);
      expect(
        asked.filter((name) => !known.has(name)),
        title,
      ).toEqual([]);
    }
  });

  test('asks in PromQL', async (context) => {
    const promtool = await obtainPromtool();
    if (promtool === undefined) {
      return context.skip(noPromtool);
    }
    const temporary = await mkdtemp(join(tmpdir(), 'bambochat-dashboard-'));
    try {
      const file = join(temporary, 'expressions.yaml');
      const rules = expressions.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
      await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
      expect(await promtool.run('check', 'rules', file)).toContain(`${rules.length} rules found`);
    } finally {
      await rm(temporary, { recursive: true });
    }
  });
});

test('what the services export is shown, but for what is named here', async () => {
  const { recordings } = await rulesIn(ruleFiles.recording);
  const asked = new Set(expressions.flatMap(({ expr }) => metricsOf(expr)));
  for (const { record, expr } of recordings) {
    if (asked.has(record)) {
      for (const metric of metricsOf(expr)) {
        asked.add(metric);
      }
    }
  }
  const metrics = [...metricsCatalogue().values()].flat();
  const missing = metrics.filter((metric) => !seriesOf(metric).some((name) => asked.has(name)));
  const names = new Set(missing.map(({ name }) => name));
  expect([...names].toSorted()).toEqual(notShown);
});

/** Parts of another panel's figure, or of use only when one looks for something. */
const notShown = [
  'bambochat_broadcasts_total',
  'bambochat_command_log_looks_total',
  'bambochat_nats_connected',
  'bambochat_nats_reconnects_total',
  'bambochat_rooms_redis_ready',
  'bambochat_roster_reports_total',
  'bambochat_snapshots_delivered_total',
];

test('Grafana is given the data source and the folder of dashboards', async () => {
  const read = async (name: string) =>
    parse(await readFile(new URL(`provisioning/${name}`, folder), 'utf8'));
  expect(await read('datasources/prometheus.yaml')).toMatchObject({
    datasources: [{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }],
  });
  expect(await read('dashboards/bambochat.yaml')).toMatchObject({
    providers: [{ type: 'file', options: { path: '/etc/grafana/dashboards' } }],
  });
});
