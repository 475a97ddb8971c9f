import { createShardedAdapter } from '@socket.io/redis-adapter';
import { type Namespace, Server } from 'socket.io';
import { type BroadcastOptions, type ClusterMessage, MessageType } from 'socket.io-adapter';
import type { BroadcastFlags } from './emit-into-rooms.ts';
import { createFanOut, type DeliveryCounts } from './fan-out.ts';
import { readBroadcast } from './remote-broadcast.ts';
import type { AdapterConstructor, RemoteEvent } from './rooms.ts';
import type { ShardPublisher } from './shard-publisher.ts';
import type { MessageHandler, ShardSubscriptions } from './shard-subscriptions.ts';

type ShardedAdapter = ReturnType<ReturnType<typeof createShardedAdapter>>;

/** What came from other processes. */
export interface Arrivals {
  arrived(event: RemoteEvent): void;
  /** A message that nothing can be made of. */
  malformed(error: unknown): void;
  /** One that carries a trace; what is returned is called when it is with the sockets. */
  traced(event: string, traceparent: string): (() => void) | undefined;
}

export interface ShardedServers {
  readonly adapter: AdapterConstructor;
  /** Where this process emits: a server that uses `adapter`, or one without sockets. */
  mainNamespace(): Namespace;
}

/**
 * Socket.IO's sharded adapter on our publisher and our subscriptions.
 *
 * The adapter takes two clients of different libraries, so it uses only a few of their methods. We
 * give it those and nothing else: `spublish` as ioredis has it, `sSubscribe` and `sUnsubscribe` as
 * node-redis has them, for which the adapter keeps no list of its own. What happens on a bad day is
 * then decided in `ShardPublisher` and `ShardSubscriptions`.
 *
 * @param tell.report gets what went wrong in an emit: Socket.IO does not look at the adapter's
 * promises, so it would be an unhandled rejection
 * @param tell.arrived gets what other processes emit into rooms of this one
 */
export function createShardedServers(
  publisher: ShardPublisher,
  subscriptions: ShardSubscriptions,
  channelPrefix: string,
  tell: Arrivals & { report: (error: unknown) => void },
  counts: DeliveryCounts,
): ShardedServers {
  const { report } = tell;
  const options = { channelPrefix, subscriptionMode: 'dynamic' } as const;
  const publishClient = {
    // Resolves at once: the adapter delivers to the sockets of this process after it.
    spublish: async (channel: string, payload: string | Buffer): Promise<number> => {
      publisher.publish(channel, payload);
      return 0;
    },
    // Asked how many servers there are, before the adapter waits for all of them.
    send_command: (_name: string, _args: unknown, callback: (error: Error) => void): void =>
      callback(new Error('Rooms do not ask other processes: no fetchSockets, no acknowledgements')),
  };
  const namespaces = new Set<Namespace>();

  function adapter(namespace: Namespace): ShardedAdapter {
    // Of the fan-out, which needs the adapter: nothing is heard before.
    let passOn: PassOn = () => false;
    const created = createShardedAdapter(
      publishClient,
      subscribeClient(subscriptions, (payload) => passOn(payload), tell.malformed),
      options,
    )(namespace);
    if (namespace.name === '/') {
      namespaces.add(namespace);
      const close = created.close.bind(created);
      created.close = () => {
        namespaces.delete(namespace);
        return close();
      };
    }
    passOn = deliverThroughFanOut(created, tell, counts);
    return reporting(created, report);
  }

  /** Hears nothing: a process without sockets subscribes to no room. */
  function deafAdapter(namespace: Namespace): ShardedAdapter {
    const deaf = { sSubscribe: () => {}, sUnsubscribe: () => {} };
    return reporting(createShardedAdapter(publishClient, deaf, options)(namespace), report);
  }
  // It has no port, no engine, no timer and no socket, so there is nothing to close.
  const withoutSockets = new Server({ adapter: deafAdapter, parser: silentParser }).of('/');

  return {
    adapter,
    mainNamespace: () => namespaces.values().next().value ?? withoutSockets,
  };
}

/** Handles a message from another process, or says false: the adapter has to. */
type PassOn = (payload: Buffer) => boolean;

const OPENING_BRACE = '{'.charCodeAt(0);

/** Each adapter its own: several servers of one process share the namespace's channel. */
function subscribeClient(
  subscriptions: ShardSubscriptions,
  passOn: PassOn,
  malformed: (error: unknown) => void,
) {
  const handlers = new Map<string, MessageHandler>();
  return {
    sSubscribe: (channel: string, handle: MessageHandler) => {
      const handler: MessageHandler = (payload, heardOn) => {
        try {
          if (passOn(payload)) {
            return;
          }
          if (payload[0] === OPENING_BRACE) {
            // The adapter would drop what is no JSON without a word.
            JSON.parse(payload.toString());
          }
        } catch (error) {
          malformed(error);
          return;
        }
        handle(payload, heardOn);
      };
      handlers.set(channel, handler);
      subscriptions.add(channel, handler);
    },
    sUnsubscribe: (channel: string) => {
      const handler = handlers.get(channel);
      if (handler) {
        handlers.delete(channel);
        subscriptions.remove(channel, handler);
      }
    },
  };
}

/** What every adapter of a cluster has, and its types hide. */
interface ClusterAdapter {
  readonly uid: string;
  /** The step between what came in and the rooms. */
  onMessage(message: ClusterMessage): unknown;
  publish(message: object): void;
}

/**
 * Broadcasts reach the sockets of this process through {@link createFanOut}: those of other processes
 * as the bytes that came, where they have the form that our own processes give them.
 */
function deliverThroughFanOut(
  adapter: ShardedAdapter,
  arrivals: Arrivals,
  counts: DeliveryCounts,
): PassOn {
  const cluster = adapter as unknown as ClusterAdapter;
  const fanOut = createFanOut(adapter, counts);
  const onMessage = cluster.onMessage.bind(adapter);

  function arrive(event: RemoteEvent, { traceparent }: BroadcastFlags, deliver: () => void): void {
    arrivals.arrived(event);
    const end = traceparent === undefined ? undefined : arrivals.traced(event.event, traceparent);
    deliver();
    end?.();
  }

  cluster.onMessage = (message) => {
    if (message.type !== MessageType.BROADCAST || message.uid === cluster.uid) {
      onMessage(message);
      return;
    }
    const { packet, opts } = message.data as {
      packet: { data: [string, unknown] };
      opts: {
        rooms: string[];
        except: string[];
        flags: BroadcastOptions['flags'] & BroadcastFlags;
      };
    };
    const [event, payload] = packet.data;
    const [room = ''] = opts.rooms;
    const flags = opts.flags ?? {};
    arrive({ event, room, message: flags.message, payload: () => payload }, flags, () =>
      fanOut.broadcast(packet, {
        rooms: new Set(opts.rooms),
        except: new Set(opts.except),
        flags,
      }),
    );
  };
  adapter.broadcast = async (packet: unknown, options: BroadcastOptions) => {
    if (!options.flags?.local) {
      const { rooms, except = [], flags } = options;
      cluster.publish({
        type: MessageType.BROADCAST,
        data: { packet, opts: { rooms: [...rooms], except: [...except], flags } },
      });
    }
    fanOut.broadcast(packet, options);
  };
  if (adapter.nsp.name !== '/') {
    return () => false;
  }
  return (message) => {
    const found = readBroadcast(message);
    if (found === null || found.nsp !== '/') {
      return false;
    }
    if (found.uid !== cluster.uid) {
      const { event, room, args, options, flags } = found;
      const payload = () => JSON.parse(args.toString())[1];
      arrive({ event, room, message: flags.message, payload }, flags, () =>
        fanOut.passOn(args, options),
      );
    }
    return true;
  };
}

function reporting(adapter: ShardedAdapter, report: (error: unknown) => void): ShardedAdapter {
  const publish = adapter.doPublish.bind(adapter);
  adapter.doPublish = async (message: ClusterMessage) => {
    try {
      return await publish(message);
    } catch (error) {
      report(error);
      return '';
    }
  };
  const broadcast = adapter.broadcast.bind(adapter);
  adapter.broadcast = (packet: unknown, options: BroadcastOptions) =>
    broadcast(packet, options).catch(report);
  return adapter;
}

/** Frames for local sockets, of which there are none: the payload is encoded once, for Redis. */
const silentParser = {
  Encoder: class {
    encode(): string[] {
      return [];
    }
  },
  Decoder: class {},
};
