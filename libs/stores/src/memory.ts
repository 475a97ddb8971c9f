export {
  createMemoryPresenceStore,
  type MemoryPresenceOptions,
  type MemoryPresenceStore,
} from './presence-store-memory.ts';
