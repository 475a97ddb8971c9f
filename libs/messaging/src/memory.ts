export type { MemoryCommandLogOptions } from './command-log-memory.ts';
export { createMemoryCommandLog } from './command-log-memory.ts';
export type { MemoryEventBus, MemoryEventBusOptions } from './event-bus-memory.ts';
export { createMemoryEventBus } from './event-bus-memory.ts';
