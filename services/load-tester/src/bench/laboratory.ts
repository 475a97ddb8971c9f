import { randomBytes } from 'node:crypto';
import { createRedisRooms } from '@bambochat/rooms/redis';
import { startBackends, waitFor } from '@bambochat/testing';
import { cpuSeconds } from '../process-figures.ts';
import { memberOf } from './cast.ts';
import { Crowd } from './crowd.ts';
import { type Audience, sendThrough } from './deliveries.ts';
import { playServices } from './played-services.ts';
import {
  PLAIN_PREFIX,
  type Server,
  type ServerOptions,
  startGateway,
  startPlainServer,
} from './servers.ts';

export type Contestant = 'ours' | 'plain';

/** Back ends, receivers and emitters that all comparisons share. Servers are started for each. */
export interface Laboratory extends AsyncDisposable {
  readonly crowd: Crowd;
  /** Several of one kind hear each other. */
  start(kind: Contestant, count?: number, options?: Partial<ServerOptions>): Promise<Servers>;
}

export interface Servers extends AsyncDisposable {
  readonly kind: Contestant;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  /**
   * Opens a socket for each member of the rooms, spread over the servers.
   *
   * @param firstRoom servers of one kind that are not to hear each other get rooms of their own
   */
  fill(group: string, rooms: number, membersPerRoom: number, firstRoom?: number): Promise<Audience>;
}

/** Handshakes at a time. */
const CONCURRENCY = 32;

export async function openLaboratory(profileTo: string | null): Promise<Laboratory> {
  await using opened = new AsyncDisposableStack();
  const backends = opened.use(await startBackends({ names: ['redis', 'nats'] }));
  opened.use(await playServices(backends.nats.url));
  const secret = randomBytes(40).toString('hex');
  const crowd = opened.use(new Crowd({ JWT_SECRET: secret }));
  const emitter = async (prefix: object) => {
    const rooms = await createRedisRooms({ url: backends.redis.url, name: 'bench', ...prefix });
    opened.defer(() => rooms.stop());
    return sendThrough(rooms.emitter);
  };
  const send = {
    ours: await emitter({}),
    plain: await emitter({ channelPrefix: PLAIN_PREFIX }),
  };
  const serverOptions: ServerOptions = {
    redisUrl: backends.redis.url,
    natsUrl: backends.nats.url,
    secret,
    ...(profileTo === null ? {} : { profileTo }),
  };

  async function start(
    kind: Contestant,
    count = 1,
    options: Partial<ServerOptions> = {},
  ): Promise<Servers> {
    await using started = new AsyncDisposableStack();
    const servers: Server[] = [];
    for (let index = 0; index < count; index += 1) {
      const one = kind === 'ours' ? startGateway : startPlainServer;
      servers.push(started.use(await one({ ...serverOptions, ...options })));
    }
    const urls = servers.map(({ url }) => url);
    const pids = servers.map(({ pid }) => pid);
    const kept = started.move();
    return {
      kind,
      urls,
      pids,
      async fill(group, rooms, membersPerRoom, firstRoom = 0) {
        const members = Array.from({ length: rooms * membersPerRoom }, (_, index) =>
          memberOf(firstRoom + (index % rooms), Math.floor(index / rooms)),
        );
        await crowd.open(group, { urls, members, concurrency: CONCURRENCY });
        await comesToRest(pids);
        const sendTo = (room: number, seq: number) => send[kind](firstRoom + room, seq);
        return { group, pids, rooms, membersPerRoom, send: sendTo };
      },
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  }

  const kept = opened.move();
  return { crowd, start, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Until each of the processes uses less than a twentieth of a CPU. */
export async function comesToRest(pids: readonly number[]): Promise<void> {
  let last = await cpuSeconds(pids);
  let at = performance.now();
  await waitFor(
    async () => {
      const [used, now] = [await cpuSeconds(pids), performance.now()];
      const share = ((used - last) * 1000) / (now - at);
      [last, at] = [used, now];
      return share < 0.05 * pids.length;
    },
    { interval: 500, timeout: 60_000, describe: 'servers to come to rest' },
  );
}
