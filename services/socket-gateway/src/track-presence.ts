import type { EventBus } from '@bambochat/messaging';
import type { GatewayId } from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import { followStatuses } from './follow-statuses.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { createPresenceSnapshots } from './presence-snapshots.ts';
import { reportPresence } from './report-presence.ts';
import { createRoster } from './roster.ts';
import type { SlowReaders } from './slow-readers.ts';

export interface Presence {
  /** The socket is connected. Nothing waits for presence: without its service the rest works. */
  arrive(socket: ChatSocket): void;
  leave(socket: ChatSocket): void;
  /** Everybody is leaving: resolves when presence-service knows, or after `timeout` ms. */
  drain(timeout: number): Promise<void>;
  stop(): void;
}

/** Milliseconds over which fresh snapshots for all sockets are asked for. */
const REFRESH_SPREAD = 4000;

/** Who is here, told to presence-service, and what friends are told of it. */
export function trackPresence(options: {
  server: ChatServer;
  bus: EventBus;
  gatewayId: GatewayId;
  slowReaders: SlowReaders;
  metrics: GatewayMetrics;
  logger: Logger;
}): Presence {
  const { bus } = options;
  const roster = createRoster();
  const snapshots = createPresenceSnapshots({ ...options, roster });
  const statuses = followStatuses({ ...options, roster, snapshots });
  let draining = false;
  let missedChanges = false;
  const reports = reportPresence({
    ...options,
    roster,
    onConfirmed({ known, lost }) {
      snapshots.known(known);
      snapshots.refresh(lost);
      if (missedChanges) {
        missedChanges = false;
        snapshots.refreshAll(REFRESH_SPREAD);
      }
    },
  });
  const reconnects = bus.onReconnect(() => {
    // Not before a report has arrived: until then changes may be sent past this gateway.
    missedChanges = true;
    reports.now();
  });

  function stop(): void {
    reconnects.unsubscribe();
    statuses.stop();
    snapshots.stop();
    reports.stop();
  }

  return {
    arrive(socket) {
      if (!draining) {
        roster.arrive(socket.data.userId);
        snapshots.want(socket);
        reports.changed();
      }
    },
    leave(socket) {
      roster.leave(socket.data.userId);
      snapshots.forget(socket);
      reports.changed();
    },
    async drain(timeout) {
      draining = true;
      // Sockets may take their time to close, and lastSeenAt is now.
      roster.leaveAll();
      await reports.drain(timeout);
    },
    stop,
  };
}
