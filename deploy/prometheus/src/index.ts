export { metricsOf } from './promql.ts';
export { noPromtool, obtainPromtool, type Promtool } from './promtool.ts';
export { type Alert, ruleFiles, rulesIn } from './rule-files.ts';
