export * from './error-answers.ts';
export { createRestMetrics } from './observe-requests.ts';
export type { RestApp, RestAppOptions } from './rest-app.ts';
export { createRestApp } from './rest-app.ts';
export * from './rest-config.ts';
export { RetryLaterError } from './retry-later.ts';
