import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricsCatalogue, processMetrics, seriesOf } from '@bambochat/docs/metrics';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { alertCases, type Series } from './alert-cases.ts';
import { metricsOf } from './promql.ts';
import { noPromtool, obtainPromtool } from './promtool.ts';
import { ruleFiles, rulesIn } from './rule-files.ts';

const { alerts } = await rulesIn(ruleFiles.alerts);
const { recordings } = await rulesIn(ruleFiles.recording);
const promtool = await obtainPromtool();

/** The series that one expression has an hour into `input`. */
function hourOf(name: string, input: Series, expr: string, samples: readonly object[]) {
  return {
    name,
    interval: '1m',
    input_series: Object.entries(input).map(([series, values]) => ({ series, values })),
    promql_expr_test: [{ expr, eval_time: '1h', exp_samples: samples }],
  };
}

describe('promtool', () => {
  test('takes the configuration and the rules', async (context) => {
    if (promtool === undefined) {
      return context.skip(noPromtool);
    }
    expect(await promtool.run('check', 'config', ruleFiles.configuration)).toContain('SUCCESS');
    for (const file of [ruleFiles.alerts, ruleFiles.recording]) {
      expect(await promtool.run('check', 'rules', file)).toContain('SUCCESS');
    }
  });

  test('sees every alert fire in a bad hour and stay silent in a good one', async (context) => {
    if (promtool === undefined) {
      return context.skip(noPromtool);
    }
    const folder = await mkdtemp(join(tmpdir(), 'bambochat-rules-'));
    try {
      const file = join(folder, 'alerts.test.yaml');
      const tests = Object.entries(alertCases).flatMap(([alert, { bad, good }]) => {
        const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
        return [
          hourOf(`${alert} fires`, bad, firing, [{ labels: '{}', value: 1 }]),
          hourOf(`${alert} is silent`, good, firing, []),
        ];
      });
      const toldTwice = {
        'bambochat_commands_pending{instance="a",partition="0"}': '30+0x60',
        'bambochat_commands_pending{instance="b",partition="0"}': '30+0x60',
        'bambochat_commands_pending{instance="b",partition="1"}': '4+0x60',
      };
      const pending = 'bambochat:commands_pending:sum';
      tests.push(hourOf('told twice', toldTwice, pending, [{ labels: pending, value: 34 }]));
      const rule_files = [ruleFiles.recording, ruleFiles.alerts];
      await writeFile(file, stringify({ rule_files, evaluation_interval: '1m', tests }));
      expect(await promtool.run('test', 'rules', file)).toContain('SUCCESS');
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});

describe('every rule', () => {
  test('asks for metrics that the services export', async () => {
    const catalogue = [...metricsCatalogue().values(), await processMetrics()].flat();
    const known = new Set([
      'up',
      ...catalogue.flatMap(seriesOf),
      ...recordings.map(({ record }) => record),
    ]);
    for (const { expr } of [...alerts, ...recordings]) {
      const asked = metricsOf(expr);
      expect(asked.length, expr).toBeGreaterThan(0);
      expect(
        asked.filter((name) => !known.has(name)),
        expr,
      ).toEqual([]);
    }
  });

  test('that records something is used', async () => {
    const dashboard = await readFile(
      new URL('../../grafana/dashboards/bambochat.json', import.meta.url),
      'utf8',
    );
    const asked = new Set(alerts.flatMap(({ expr }) => metricsOf(expr)));
    for (const { record } of recordings) {
      expect(asked.has(record) || dashboard.includes(record), record).toBe(true);
    }
  });
});

describe('every alert', () => {
  test('has a name of its own, and a bad and a good hour', () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(alertCases).toSorted()).toEqual(names.toSorted());
  });

  test('has a line that says what to do, and a section of the runbook', async () => {
    const runbook = await readFile(new URL('../RUNBOOK.md', import.meta.url), 'utf8');
    const sections = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, title]) => title);
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toMatch(/^\S.{20,}$/);
      expect(annotations.runbook_url).toBe(`deploy/prometheus/RUNBOOK.md#${alert.toLowerCase()}`);
      expect(sections).toContain(alert);
    }
    // And no section is about an alert that is gone.
    expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });
});

test('Prometheus asks each service, on the port of its configuration', async () => {
  const { scrape_configs: jobs } = parse(await readFile(ruleFiles.configuration, 'utf8')) as {
    scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[];
  };
  const services = new Set([...metricsCatalogue().keys(), 'web']);
  services.delete('standalone');
  const asked = jobs.filter(({ dns_sd_configs }) => dns_sd_configs !== undefined);
  expect(asked.map(({ job_name }) => job_name).toSorted()).toEqual([...services].toSorted());
  for (const { job_name, dns_sd_configs } of asked) {
    expect(dns_sd_configs).toMatchObject([{ names: [job_name], port: 3000 }]);
  }
});
