export { openRedisPresenceStore, type RedisPresenceOptions } from './presence-store-redis.ts';
