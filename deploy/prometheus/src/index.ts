export { metricsOf } from './promql.ts';
export { type Alert, ruleFiles, rulesIn } from './rule-files.ts';
