export * from './command-batcher.ts';
export * from './command-log.ts';
export * from './command-subjects.ts';
export * from './event-bus.ts';
export * from './settles-within.ts';
