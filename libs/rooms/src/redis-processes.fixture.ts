import { type Backend, startBackends, waitFor } from '@bambochat/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Gateway, startGateway } from './gateways.fixture.ts';
import type { Interruption, Rooms } from './rooms.ts';
import { createRedisRooms, type RedisRoomsOptions } from './rooms-redis.ts';

/** Impatient, so that no test waits for the defaults. */
const impatient = {
  pingInterval: 100,
  pingTimeout: 500,
  maxRetryDelay: 100,
  fenceTimeout: 500,
} as const satisfies Partial<RedisRoomsOptions>;

export interface Process {
  readonly rooms: Rooms;
  readonly interruptions: string[];
  readonly emitsLost: Interruption[];
  readonly log: string[];
  dropped(): number;
}

export const unavailable = expect.objectContaining({ name: 'AppError', code: 'UNAVAILABLE' });

export const answers = (rooms: Rooms) =>
  waitFor(() => rooms.check().then(() => true), { describe: 'rooms that reach Redis again' });

/**
 * A Redis of its own for the tests of a file, which they may break, and rooms on it as processes
 * have them. What a test starts ends with it; it fails on an unhandled rejection.
 */
export function useRedisProcesses() {
  let redis: Backend;
  const closers: (() => Promise<unknown>)[] = [];
  const unhandled: unknown[] = [];
  const noteUnhandled = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', noteUnhandled);
    ({ redis } = await startBackends({ names: ['redis'], own: true }));
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) {
      await close();
    }
    // After a test that failed half way.
    if (redis.pid === null) {
      await redis.restart();
    } else {
      await redis.resume();
    }
    expect(unhandled.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await redis.stop();
    process.off('unhandledRejection', noteUnhandled);
  });

  async function startProcess(options: Partial<RedisRoomsOptions> = {}): Promise<Process> {
    const log: string[] = [];
    const note = (_fields: unknown, message: string) => log.push(message);
    const rooms = await createRedisRooms({
      url: redis.url,
      ...impatient,
      logger: { info: note, warn: note, error: note },
      ...options,
    });
    closers.push(() => rooms.stop());
    const interruptions: string[] = [];
    rooms.onInterruption(({ reason }) => interruptions.push(reason));
    const emitsLost: Interruption[] = [];
    rooms.onEmitsLost((lost) => emitsLost.push(lost));
    return {
      rooms,
      interruptions,
      emitsLost,
      log,
      dropped: () => rooms.figures().redis?.dropped ?? 0,
    };
  }

  async function startGatewayProcess(options: Partial<RedisRoomsOptions> = {}) {
    const process = await startProcess(options);
    const gateway: Gateway = await startGateway(process.rooms);
    closers.push(() => gateway.close());
    return { ...process, gateway };
  }

  function openRedis(): Redis {
    const client = new Redis(redis.url, { maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    closers.push(async () => client.disconnect());
    return client;
  }

  return { redis: () => redis, startProcess, startGatewayProcess, openRedis };
}
