import { backendUrl, integer } from './config.ts';

/* Variables of processes that use a backing service; each takes those that it needs. */

export const mongodbConfig = {
  MONGODB_URL: backendUrl('mongodb', 'mongodb+srv').describe(
    'The path names the database, `bambochat` without one.',
  ),
};

export const natsConfig = {
  NATS_URL: backendUrl('nats', 'tls').describe('nats-server 2.9 or newer, with JetStream.'),
};

export const redisConfig = {
  REDIS_URL: backendUrl('redis', 'rediss').describe('Redis 7.0 or newer.'),
};

/** Of who appends commands and who handles them. */
export const commandLogConfig = {
  COMMAND_PARTITIONS: integer(1, 1024)
    .prefault('16')
    .describe(
      'Partitions of the command log. The same everywhere; deploy/operate/README.md says how to change it.',
    ),
  COMMAND_REPLICAS: integer(1, 5)
    .prefault('1')
    .describe('Copies of the command streams in a NATS cluster; 3 in production.'),
};
