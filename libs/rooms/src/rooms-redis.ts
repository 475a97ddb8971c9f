import { createRoomEmitter } from './emit-into-rooms.ts';
import { Interruptions } from './interruptions.ts';
import { RedisConnection } from './redis-connection.ts';
import type { RemoteEvent, Rooms, TracedEventListener } from './rooms.ts';
import { type RoomsLogger, silentLogger } from './rooms-logger.ts';
import { ShardPublisher } from './shard-publisher.ts';
import { ShardSubscriptions } from './shard-subscriptions.ts';
import { createShardedServers } from './sharded-adapter.ts';
import { Signal } from './signal.ts';
import { SubscriptionFence } from './subscription-fence.ts';

export interface RedisRoomsOptions {
  /** `redis://` or `rediss://`; Redis 7.0 or newer. */
  readonly url: string;
  /** What `CLIENT LIST` of Redis shows. Default `bambochat`. */
  readonly name?: string;
  /** Before every channel name: two systems on one Redis need two. Default `bambochat`. */
  readonly channelPrefix?: string;
  readonly logger?: RoomsLogger;
  /** Milliseconds that the first connection may take, with retries. Default 15,000. */
  readonly connectTimeout?: number;
  /** Milliseconds that `check()` and the last emits of `stop()` wait for Redis. Default 500. */
  readonly commandTimeout?: number;
  /** Milliseconds that `fence()` waits for Redis. Default 1,000. */
  readonly fenceTimeout?: number;
  /** Milliseconds between pings on each of the two connections. Default 2,000. */
  readonly pingInterval?: number;
  /** Milliseconds without an answer after which a connection is given up. Default 2,000. */
  readonly pingTimeout?: number;
  /** Milliseconds between two attempts to reconnect, at most. Default 2,000. */
  readonly maxRetryDelay?: number;
  /** Emits that may be on their way to a Redis that hangs. Default 10,000. */
  readonly maxPendingEmits?: number;
}

const maxPendingBytes = 16 * 1024 * 1024;

/**
 * Rooms across processes: Socket.IO's sharded Redis adapter in dynamic mode, so that a process
 * hears only the rooms that it hosts. The README lists what can go wrong and what is done about it.
 *
 * @throws Error when the URL is wrong, Redis is too old, or does not answer in `connectTimeout`.
 */
export async function createRedisRooms(options: RedisRoomsOptions): Promise<Rooms> {
  const logger = options.logger ?? silentLogger;
  const name = options.name ?? 'bambochat';
  const channelPrefix = options.channelPrefix ?? 'bambochat';
  const commandTimeout = options.commandTimeout ?? 500;
  const connect = (role: string) =>
    new RedisConnection({
      url: options.url,
      name: `${name}-${role}`,
      pingInterval: options.pingInterval ?? 2_000,
      pingTimeout: options.pingTimeout ?? 2_000,
      maxRetryDelay: options.maxRetryDelay ?? 2_000,
      logger,
    });
  const publishing = connect('publisher');
  const subscribing = connect('subscriber');
  // In this order: on a new connection the subscriptions go out before anybody waits for them.
  const subscriptions = new ShardSubscriptions(subscribing, logger);
  const fence = new SubscriptionFence(subscribing, subscriptions, options.fenceTimeout ?? 1_000);

  try {
    const connectTimeout = options.connectTimeout ?? 15_000;
    await Promise.all([
      publishing.firstReady(connectTimeout),
      subscribing.firstReady(connectTimeout),
    ]);
    await requireShardedPubSub(publishing, channelPrefix);
  } catch (error) {
    await Promise.all([publishing.close(), subscribing.close()]);
    throw error;
  }

  const interruptions = new Interruptions(subscribing, subscriptions, logger);
  const publisher = new ShardPublisher(publishing, {
    logger,
    maxPending: options.maxPendingEmits ?? 10_000,
    maxPendingBytes,
  });
  const report = (error: unknown) =>
    logger.error({ err: error }, 'an event could not be emitted into a room');
  const remoteEvents = new Signal<[RemoteEvent]>(logger);
  /** The one that asked last. */
  let tracedListener: TracedEventListener | undefined;
  const counts = { broadcasts: 0, deliveries: 0 };
  let malformed = 0;
  const tell = {
    report,
    arrived: (event: RemoteEvent) => remoteEvents.tell(event),
    malformed: (error: unknown) => {
      malformed += 1;
      logger.error({ err: error }, 'an event from another process was not understood');
    },
    traced: (event: string, traceparent: string) => tracedListener?.(event, traceparent),
  };
  const servers = createShardedServers(publisher, subscriptions, channelPrefix, tell, counts);

  return {
    adapter: servers.adapter,
    emitter: createRoomEmitter(servers.mainNamespace, report),
    fence: () => fence.pass(),
    onInterruption: (listener) => interruptions.listen(listener),
    onEmitsLost: (listener) => publisher.onLost(listener),
    onRemoteEvent: (listener) => remoteEvents.listen(listener),
    onTracedEvent: (listener) => {
      tracedListener = listener;
      return {
        unsubscribe: () => {
          tracedListener = tracedListener === listener ? undefined : tracedListener;
        },
      };
    },
    figures: () => ({
      ...counts,
      redis: {
        connections: [
          { role: 'publisher', ready: publishing.ready, connects: publishing.connects },
          { role: 'subscriber', ready: subscribing.ready, connects: subscribing.connects },
        ],
        subscriptions: subscriptions.size,
        resubscriptions: subscriptions.resubscriptions,
        interruptions: interruptions.count,
        published: publisher.published,
        dropped: publisher.dropped,
        pending: publisher.pending,
        malformed,
      },
    }),
    check: async () => {
      await Promise.all([publishing.check(commandTimeout), subscribing.check(commandTimeout)]);
    },
    stop: async () => {
      fence.close();
      await publisher.drain(commandTimeout);
      await Promise.all([publishing.close(), subscribing.close()]);
    },
  };
}

/** Redis before 7.0 knows no SPUBLISH; an access list may forbid it. Better at start than never. */
async function requireShardedPubSub(
  connection: RedisConnection,
  channelPrefix: string,
): Promise<void> {
  try {
    await connection.redis.spublish(`${channelPrefix}#start`, '');
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') {
      throw new Error(
        `Redis at ${connection.address} refuses sharded pub/sub, which needs Redis 7.0 or newer`,
        { cause: error },
      );
    }
    // The connection broke just now: it comes back by itself.
  }
}
