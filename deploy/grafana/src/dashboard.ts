import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type PanelPlan, type RowPlan, rows } from './panels.ts';

const DASHBOARD_UID = 'bambochat';
/** Chosen at the top of the page; the first Prometheus by itself. */
const datasource = { type: 'prometheus', uid: '$' + '{datasource}' };
/** Of 24 columns. */
const COLUMNS = { stat: 6, lines: 8 };
const HEIGHT = { stat: 4, lines: 8 };

/** The dashboard as Grafana imports and provisions it. */
export function dashboard(plan: readonly RowPlan[] = rows): Dashboard {
  const builder = new DashboardBuilder('BamboChat')
    .uid(DASHBOARD_UID)
    .description('Written by `npm run docs`: change deploy/grafana/src/panels.ts, not the JSON.')
    .tags(['bambochat'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    );
  let id = 0;
  const nextId = () => {
    id += 1;
    return id;
  };
  for (const row of plan) {
    builder.withRow(new RowBuilder(row.title).id(nextId()));
    for (const panel of row.panels) {
      builder.withPanel((panel.stat ? statOf(panel) : linesOf(panel)).id(nextId()));
    }
  }
  return builder.build();
}

function queriesOf({ queries, stat }: PanelPlan): DataqueryBuilder[] {
  return queries.map(([expr, legend], index) => {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(legend);
    return stat ? query.instant() : query.range();
  });
}

function thresholdsOf(threshold: number | undefined): ThresholdsConfigBuilder {
  const good = { value: null, color: 'green' };
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(threshold === undefined ? [good] : [good, { value: threshold, color: 'red' }]);
}

function statOf(plan: PanelPlan): StatBuilder {
  return new StatBuilder()
    .title(plan.title)
    .description(plan.description ?? '')
    .datasource(datasource)
    .unit(plan.unit)
    .thresholds(thresholdsOf(plan.threshold))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .targets(queriesOf(plan))
    .span(COLUMNS.stat)
    .height(HEIGHT.stat);
}

function linesOf(plan: PanelPlan): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(plan.title)
    .description(plan.description ?? '')
    .datasource(datasource)
    .unit(plan.unit)
    .min(0)
    .fillOpacity(plan.stack ? 30 : 5)
    .thresholds(thresholdsOf(plan.threshold))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .targets(queriesOf(plan))
    .span(COLUMNS.lines)
    .height(HEIGHT.lines);
  if (plan.threshold !== undefined) {
    const dashed = GraphThresholdsStyleMode.Dashed;
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(dashed));
  }
  if (plan.stack) {
    panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  }
  return panel;
}
