import { setTimeout as delay } from 'node:timers/promises';
import type { EventBus } from '@bambochat/messaging';
import { liveEventsLostSchema, subjects } from '@bambochat/protocol';
import type { Rooms } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { DirectoryClient } from './directory-client.ts';
import { findMissedEvents } from './find-missed-events.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { createHeardMessages } from './heard-messages.ts';
import { type Spread, spreadEvenly } from './spread-evenly.ts';

/**
 * Milliseconds over which those concerned are told: all of them asking for history in the same
 * moment would be the next incident. With the rest within the 10 s of PROTOCOL.md.
 */
const RESYNC_SPREAD = 4000;
/** Milliseconds, at random: all gateways see the same Redis come back. */
const LOOK_JITTER = 1000;
const LOST_MESSAGE = 'Live delivery was interrupted';

interface Look {
  reason: string;
  since: number | null;
}

/**
 * When live events may not have reached this gateway, finds out which of its rooms missed some and
 * tells `resync` to the sockets in them; to all sockets when that cannot be found out. Calls for a
 * look while one goes on are one more look.
 */
export function announceMissedEvents(options: {
  server: ChatServer;
  rooms: Pick<Rooms, 'onInterruption' | 'onRemoteEvent'>;
  bus: EventBus;
  directory: Pick<DirectoryClient, 'activity'>;
  metrics: Pick<GatewayMetrics, 'resyncs'>;
  logger: Logger;
}): { stop(): void } {
  const { server, rooms, bus, logger, metrics } = options;
  const heard = createHeardMessages({ server, rooms });
  const untold = new Map<ChatSocket, string>();
  let spread: Spread | null = null;
  let due: Look | null = null;
  let looking = false;
  let stopped = false;

  function tell(sockets: Iterable<ChatSocket>, reason: string): void {
    for (const socket of sockets) {
      untold.set(socket, reason);
    }
    // Who was still to be told of an earlier interruption is told once, with the others.
    spread?.stop();
    spread = spreadEvenly(untold.keys(), RESYNC_SPREAD, (socket) => {
      const why = untold.get(socket);
      untold.delete(socket);
      if (why !== undefined && socket.connected) {
        socket.emit('resync', { reason: why });
        metrics.resyncs.inc();
      }
    });
  }

  async function look({ reason, since }: Look): Promise<void> {
    try {
      const concerned = await findMissedEvents({ ...options, heard, since });
      if (concerned.size > 0 && !stopped) {
        logger.warn(
          { reason, sockets: concerned.size },
          'live events were missed, telling sockets',
        );
        tell(concerned, reason);
      }
    } catch (error) {
      if (!stopped) {
        logger.warn({ err: error, reason }, 'cannot tell who missed live events, telling all');
        tell(server.of('/').sockets.values(), reason);
      }
    }
  }

  async function ask(next: Look): Promise<void> {
    due = {
      reason: next.reason,
      since:
        due === null || due.since === null
          ? next.since
          : Math.min(due.since, next.since ?? due.since),
    };
    if (looking) {
      return;
    }
    looking = true;
    while (due !== null && !stopped) {
      await delay(Math.random() * LOOK_JITTER, undefined, { ref: false });
      const current: Look = due;
      due = null;
      await look(current);
    }
    looking = false;
  }

  const subscriptions = [
    rooms.onInterruption((interruption) => void ask(interruption)),
    bus.subscribe(subjects.liveEventsLost, (payload) => {
      const lost = liveEventsLostSchema.safeParse(payload);
      void ask(lost.success ? lost.data : { reason: LOST_MESSAGE, since: 0 });
    }),
    // What `liveEventsLost` may have said meanwhile.
    bus.onReconnect(() => void ask({ reason: LOST_MESSAGE, since: null })),
  ];

  return {
    stop() {
      stopped = true;
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      spread?.stop();
      untold.clear();
      heard.stop();
    },
  };
}
