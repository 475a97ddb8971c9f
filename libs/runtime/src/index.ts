export * from './config.ts';
export * from './health.ts';
export * from './lifecycle.ts';
export * from './listen.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './operations.ts';
export * from './run-process.ts';
