import { hash, randomUUID } from 'node:crypto';
import {
  type PresenceReport,
  type PresenceReportAnswer,
  REPORTED_USERS_MAX,
  ROSTER_BUCKETS,
  type RosterEntry,
  type UserId,
} from '@bambochat/protocol';

/** What one report says of the roster. */
export type RosterReport = Pick<PresenceReport, 'connected' | 'disconnected' | 'digest'>;

/**
 * Users with a connected socket on this gateway, and which of them presence-service knows: it is
 * told by reports, each taken, then confirmed or reverted before the next one is taken.
 *
 * Holds one entry for each user here and beyond that only differences: users who came and were not
 * reported yet, and reported ones who went. Who comes and goes in between leaves no trace.
 */
export interface Roster {
  /** A socket of the user is connected. */
  arrive(userId: UserId): void;
  /** It is gone; of a user who is not here: nothing happens. */
  leave(userId: UserId): void;
  /** All users leave at this moment. */
  leaveAll(): void;
  has(userId: UserId): boolean;
  /** The user is here, and presence-service has confirmed to know it. */
  isKnown(userId: UserId): boolean;
  users(): UserId[];
  /** Not all that has changed was taken. */
  readonly hasChanges: boolean;

  /** Takes up to 500 users of each kind. */
  take(): RosterReport;
  /** The report taken last has arrived. Gives the users who are known by it and still here. */
  confirm(): UserId[];
  /**
   * It may or may not have arrived: what it said is said again, as far as it is still true. Of those
   * whom it named and who went meanwhile nothing is kept, or a long outage would pile them up; if it
   * did arrive, the digest tells.
   */
  revert(): void;

  /**
   * One part of the roster, as presence-service should have it after the report taken last. Call it
   * only while there are no more changes.
   */
  bucket(bucket: number): RosterEntry[];
  /** The parts whose sums differ from those in an answer. Call it after {@link confirm}. */
  differences(buckets: NonNullable<PresenceReportAnswer['buckets']>): number[];
}

interface RosterUser {
  readonly hash: number;
  devices: number;
}

interface Departure {
  readonly hash: number;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

export function bucketOf(userHash: number): number {
  return userHash % ROSTER_BUCKETS;
}

/** @param options.now milliseconds of a monotonic clock */
export function createRoster(options: { now?: () => number } = {}): Roster {
  const now = options.now ?? (() => performance.now());
  // Nobody can choose user ids whose hashes cancel out without knowing it.
  const seed = randomUUID();
  const here = new Map<UserId, RosterUser>();
  /** Here, and not in a report yet. */
  const arrived = new Set<UserId>();
  /** In a report before, and gone. */
  const departed = new Map<UserId, Departure>();
  // Of all users that reports have named, the one in flight included.
  const sums = new Float64Array(ROSTER_BUCKETS);
  const digest = { users: 0, sum: 0 };
  let inFlight: {
    connected: Map<UserId, number>;
    disconnected: Map<UserId, Departure>;
  } | null = null;

  function hashOf(userId: UserId): number {
    return hash('sha256', seed + userId, 'buffer').readUInt32LE(0);
  }

  function count(userHash: number, sign: 1 | -1): void {
    const bucket = bucketOf(userHash);
    sums[bucket] = (sums[bucket] ?? 0) + sign * userHash;
    digest.users += sign;
    digest.sum += sign * userHash;
  }

  function depart(userId: UserId, user: RosterUser): void {
    here.delete(userId);
    if (!arrived.delete(userId)) {
      departed.set(userId, { hash: user.hash, at: now() });
    }
  }

  function takeArrived(): Map<UserId, number> {
    const taken = new Map<UserId, number>();
    for (const userId of arrived) {
      if (taken.size === REPORTED_USERS_MAX) {
        break;
      }
      const user = here.get(userId);
      if (user !== undefined) {
        taken.set(userId, user.hash);
        count(user.hash, 1);
      }
      arrived.delete(userId);
    }
    return taken;
  }

  function takeDeparted(): Map<UserId, Departure> {
    const taken = new Map<UserId, Departure>();
    for (const [userId, departure] of departed) {
      if (taken.size === REPORTED_USERS_MAX) {
        break;
      }
      taken.set(userId, departure);
      count(departure.hash, -1);
      departed.delete(userId);
    }
    return taken;
  }

  return {
    arrive(userId) {
      const user = here.get(userId);
      if (user !== undefined) {
        user.devices += 1;
        return;
      }
      const departure = departed.get(userId);
      here.set(userId, { hash: departure?.hash ?? hashOf(userId), devices: 1 });
      if (!departed.delete(userId)) {
        arrived.add(userId);
      }
    },

    leave(userId) {
      const user = here.get(userId);
      if (user === undefined) {
        return;
      }
      user.devices -= 1;
      if (user.devices === 0) {
        depart(userId, user);
      }
    },

    leaveAll() {
      for (const [userId, user] of here) {
        depart(userId, user);
      }
    },

    has: (userId) => here.has(userId),

    isKnown: (userId) =>
      here.has(userId) && !arrived.has(userId) && inFlight?.connected.has(userId) !== true,

    users: () => [...here.keys()],

    get hasChanges() {
      return arrived.size > 0 || departed.size > 0;
    },

    take() {
      inFlight = { connected: takeArrived(), disconnected: takeDeparted() };
      const { connected, disconnected } = inFlight;
      const time = now();
      return {
        connected: [...connected],
        disconnected: [...disconnected].map(([userId, departure]) => [
          userId,
          departure.hash,
          Math.max(0, Math.round(time - departure.at)),
        ]),
        digest: { ...digest },
      };
    },

    confirm() {
      const known = [...(inFlight?.connected.keys() ?? [])];
      inFlight = null;
      return known.filter((userId) => here.has(userId));
    },

    revert() {
      for (const [userId, userHash] of inFlight?.connected ?? []) {
        count(userHash, -1);
        if (here.has(userId)) {
          arrived.add(userId);
        } else {
          departed.delete(userId);
        }
      }
      for (const [userId, departure] of inFlight?.disconnected ?? []) {
        // Who is back counts as having arrived already.
        if (!here.has(userId)) {
          departed.set(userId, departure);
          count(departure.hash, 1);
        }
      }
      inFlight = null;
    },

    bucket(bucket) {
      const users: RosterEntry[] = [];
      for (const [userId, user] of here) {
        if (bucketOf(user.hash) === bucket) {
          users.push([userId, user.hash]);
        }
      }
      return users;
    },

    differences(buckets) {
      const theirs = new Map(buckets);
      const different: number[] = [];
      for (let bucket = 0; bucket < ROSTER_BUCKETS; bucket += 1) {
        if (sums[bucket] !== (theirs.get(bucket) ?? 0)) {
          different.push(bucket);
        }
      }
      return different;
    },
  };
}
