import type { EventBus } from '@bambochat/messaging';
import {
  SNAPSHOT_USERS_MAX,
  type SnapshotsRequest,
  snapshotsAnswerSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { userRoom } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Roster } from './roster.ts';
import { type Spread, spreadEvenly } from './spread-evenly.ts';

export interface PresenceSnapshots {
  /** The socket is to get a snapshot, once its user is known. */
  want(socket: ChatSocket): void;
  /** The socket is gone. */
  forget(socket: ChatSocket): void;
  /** Changes of these users' friends are sent to this gateway from now on. */
  known(users: Iterable<UserId>): void;
  /** All sockets of these users are to get a fresh one. */
  refresh(users: Iterable<UserId>): void;
  /** So are all sockets, spread over `duration` ms. */
  refreshAll(duration: number): void;
  /** `receiver` was told that a friend came or went: what is being asked for may be older. */
  changed(receiver: UserId, friend: UserId, online: boolean): void;
  stop(): void;
}

interface Asked {
  readonly sockets: Set<ChatSocket>;
  /** What was told since it was asked; most have heard nothing. */
  changes: Map<UserId, boolean> | null;
}

/** Half of it is jitter, as in `report-presence.ts`. */
const RETRY_AFTER = 750;
const RETRY_JITTER = 500;

/**
 * Tells sockets which of their friends are online. Users are asked for together, one request at a
 * time, and not before presence-service knows them: from then on every change reaches this gateway,
 * so that snapshot and changes overlap and nothing falls between. Holds only sockets that wait.
 */
export function createPresenceSnapshots(options: {
  server: ChatServer;
  bus: EventBus;
  roster: Roster;
  metrics: GatewayMetrics;
  logger: Logger;
}): PresenceSnapshots {
  const { bus, roster, metrics, logger } = options;
  const namespace = options.server.of('/');
  const wanted = new Map<UserId, Set<ChatSocket>>();
  /** Those of them who are known, in the order of asking. */
  const ready = new Set<UserId>();
  let asked = new Map<UserId, Asked>();
  let asking = false;
  let failing = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let spread: Spread | null = null;

  function add(userId: UserId, socket: ChatSocket): void {
    const sockets = wanted.get(userId);
    if (sockets === undefined) {
      wanted.set(userId, new Set([socket]));
    } else {
      sockets.add(socket);
    }
    if (roster.isKnown(userId)) {
      ready.add(userId);
    }
  }

  function addAllOf(userId: UserId): void {
    for (const id of namespace.adapter.rooms.get(userRoom(userId)) ?? []) {
      // One in its handshake is not there yet, and asks by itself.
      const socket = namespace.sockets.get(id);
      if (socket !== undefined) {
        add(userId, socket);
      }
    }
  }

  function takeReady(): UserId[] {
    const userIds: UserId[] = [];
    for (const userId of ready) {
      if (userIds.length === SNAPSHOT_USERS_MAX) {
        break;
      }
      ready.delete(userId);
      const sockets = wanted.get(userId);
      if (sockets !== undefined) {
        wanted.delete(userId);
        asked.set(userId, { sockets, changes: null });
        userIds.push(userId);
      }
    }
    return userIds;
  }

  async function ask(userIds: UserId[]): Promise<void> {
    const request: SnapshotsRequest = { userIds };
    const answer = await bus.request(subjects.presenceSnapshots, request);
    const { snapshots } = snapshotsAnswerSchema.parse(answer);
    let answered = 0;
    for (const { userId, online } of snapshots) {
      const one = asked.get(userId);
      if (one !== undefined && asked.delete(userId)) {
        answered += 1;
        deliver(one, online);
      }
    }
    if (answered === 0) {
      throw new Error('the answer holds none of the snapshots that were asked for');
    }
  }

  function deliver({ sockets, changes }: Asked, answered: UserId[]): void {
    const friends = new Set(answered);
    for (const [friend, isOnline] of changes ?? []) {
      if (isOnline) {
        friends.add(friend);
      } else {
        friends.delete(friend);
      }
    }
    const online = [...friends];
    for (const socket of sockets) {
      if (socket.connected) {
        metrics.presenceSnapshots.inc();
        socket.emit('presence_snapshot', { online });
      }
    }
  }

  /** An answer need not hold everybody, and may not come at all. */
  function askAgain(): void {
    const unanswered = asked;
    asked = new Map();
    for (const [userId, { sockets }] of unanswered) {
      for (const socket of sockets) {
        if (socket.connected) {
          add(userId, socket);
        }
      }
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const userIds = takeReady();
      if (userIds.length === 0) {
        break;
      }
      try {
        await ask(userIds);
        failing = false;
      } catch (error) {
        if (!failing) {
          logger.warn({ err: error }, 'presence snapshots cannot be had, trying again');
        }
        failing = true;
      }
      askAgain();
      if (failing) {
        retry = setTimeout(resume, RETRY_AFTER + Math.random() * RETRY_JITTER);
        retry.unref();
        return;
      }
    }
    asking = false;
  }

  function resume(): void {
    void run();
  }

  /** While a request is in flight, or a retry is waited for, whoever is ready goes with the next. */
  function start(): void {
    if (!asking && !stopped) {
      asking = true;
      resume();
    }
  }

  function refresh(users: Iterable<UserId>): void {
    for (const userId of users) {
      addAllOf(userId);
    }
    start();
  }

  return {
    want(socket) {
      add(socket.data.userId, socket);
      start();
    },
    forget(socket) {
      const { userId } = socket.data;
      const sockets = wanted.get(userId);
      if (sockets?.delete(socket) === true && sockets.size === 0) {
        wanted.delete(userId);
        ready.delete(userId);
      }
    },
    known(users) {
      for (const userId of users) {
        if (wanted.has(userId)) {
          ready.add(userId);
        }
      }
      start();
    },
    refresh,
    refreshAll(duration) {
      spread?.stop();
      spread = spreadEvenly(roster.users(), duration, (userId) => refresh([userId]));
    },
    changed(receiver, friend, online) {
      const one = asked.get(receiver);
      if (one !== undefined) {
        one.changes ??= new Map();
        one.changes.set(friend, online);
      }
    },
    stop() {
      stopped = true;
      clearTimeout(retry);
      spread?.stop();
    },
  };
}
