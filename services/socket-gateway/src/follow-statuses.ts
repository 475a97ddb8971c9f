import type { EventBus } from '@bambochat/messaging';
import {
  type GatewayId,
  type OnlineStatus,
  type StatusChange,
  statusChangesSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { userRoom } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';
import type { ChatServer } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { PresenceSnapshots } from './presence-snapshots.ts';
import type { Roster } from './roster.ts';
import type { SlowReaders } from './slow-readers.ts';
import { createStatusFilter } from './status-filter.ts';

const PAIRS_MAX = 50_000;
const PAIRS_TTL = 60_000;

/** Tells the local sockets of each receiver, all devices, that a friend came or went: once. */
export function followStatuses(options: {
  server: ChatServer;
  bus: EventBus;
  gatewayId: GatewayId;
  roster: Roster;
  snapshots: PresenceSnapshots;
  slowReaders: SlowReaders;
  metrics: GatewayMetrics;
  logger: Logger;
}): { stop(): void } {
  const { server, bus, roster, snapshots, slowReaders, metrics, logger } = options;
  const filter = createStatusFilter({ max: PAIRS_MAX, ttl: PAIRS_TTL });

  function tell(receivers: UserId[], { userId, online, lastSeenAt }: StatusChange): void {
    const status: OnlineStatus = { userId, online, lastSeenAt };
    // Encoded once for all of them.
    server.local
      .to(receivers.map(userRoom))
      .except(withholdFromSlow(receivers))
      .emit('user_online_status', status);
    metrics.statuses.inc({ outcome: 'delivered' }, receivers.length);
  }

  /** Sockets that are behind get a snapshot instead of changes, once they have caught up. */
  function withholdFromSlow(receivers: UserId[]): string[] {
    if (slowReaders.none) {
      return [];
    }
    const { adapter, sockets } = server.of('/');
    const withheld: string[] = [];
    for (const receiver of receivers) {
      for (const id of adapter.rooms.get(userRoom(receiver)) ?? []) {
        const conn = sockets.get(id)?.conn;
        if (conn !== undefined && slowReaders.isBehind(conn)) {
          withheld.push(id);
          slowReaders.onceCaughtUp(conn, () => snapshots.refresh([receiver]));
        }
      }
    }
    return withheld;
  }

  function deliver(change: StatusChange): void {
    const receivers: UserId[] = [];
    for (const receiver of change.to) {
      if (!roster.has(receiver)) {
        continue;
      }
      const admitted = filter.admit(receiver, change);
      if (admitted === null) {
        metrics.statuses.inc({ outcome: 'dropped' });
        continue;
      }
      snapshots.changed(receiver, admitted.userId, admitted.online);
      if (admitted === change) {
        receivers.push(receiver);
      } else {
        tell([receiver], admitted);
      }
    }
    if (receivers.length > 0) {
      tell(receivers, change);
    }
  }

  function receive(payload: unknown): void {
    const parsed = statusChangesSchema.safeParse(payload);
    if (!parsed.success) {
      logger.error({ err: parsed.error }, 'changes of statuses were not understood');
      return;
    }
    for (const change of parsed.data.changes) {
      deliver(change);
    }
  }

  const subscriptions = [
    bus.subscribe(subjects.statusChangesFor(options.gatewayId), receive),
    bus.subscribe(subjects.statusChanges, receive),
  ];
  return {
    stop() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
    },
  };
}
