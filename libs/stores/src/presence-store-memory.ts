import {
  type GatewayId,
  type PresenceReport,
  ROSTER_BUCKETS,
  type UserId,
  unavailable,
} from '@bambochat/protocol';
import { DeadlineQueue } from './deadline-queue.ts';
import { PresenceClock } from './presence-clock.ts';
import { Roster } from './presence-roster.ts';
import type {
  Claim,
  PresenceDurations,
  PresenceStore,
  ReportOutcome,
  SweepOutcome,
} from './presence-store.ts';

export interface MemoryPresenceOptions {
  readonly durations: PresenceDurations;
  /** Real milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
}

/** The presence store for one process. What it knows ends with it, like an emptied Redis. */
export function createMemoryPresenceStore(options: MemoryPresenceOptions): MemoryPresenceStore {
  return new MemoryPresenceStore(options);
}

interface User {
  on: boolean;
  changedAt: number;
  /** Real milliseconds. */
  cameAt: number;
  /** Real milliseconds. */
  seenAt: number;
  /** What friends were told: null while a claimer is, or was, about to tell them something else. */
  told: Claim['told'];
  claimed: { token: number; toldBefore: Claim['told'] } | null;
  readonly gateways: GatewayId[];
}

interface Gateway {
  number: number;
  /** Real milliseconds of its last report. */
  seenAt: number;
  readonly roster: Roster;
}

/** From the moment when an empty store was swept. All in milliseconds; which, says the name. */
interface Epoch {
  readonly clock: PresenceClock;
  readonly logicalBegin: number;
  readonly aliveAt: number;
  settled: boolean;
  /** Logical end of the claim of the recovery. */
  recoveringUntil: number;
  lastToken: number;
  /** The highest `changedAt` of users who are not kept any more. */
  forgottenAt: number;
}

const USERS_PER_CALL = 500;

export class MemoryPresenceStore implements PresenceStore {
  readonly #durations: PresenceDurations;
  readonly #realTime: () => number;
  readonly #users = new Map<UserId, User>();
  readonly #gateways = new Map<GatewayId, Gateway>();
  readonly #leases = new DeadlineQueue<GatewayId>();
  readonly #leaving = new DeadlineQueue<UserId>();
  readonly #pending = new DeadlineQueue<UserId>();
  #epoch: Epoch | null = null;
  #closed = false;

  constructor({ durations, clock = Date.now }: MemoryPresenceOptions) {
    this.#durations = durations;
    this.#realTime = clock;
  }

  /** Users of whom anything is kept. */
  get users(): number {
    return this.#users.size;
  }

  async report(report: PresenceReport): Promise<ReportOutcome> {
    const epoch = this.#tick();
    const { gatewayId, digest, replaced } = report;
    const known = this.#gateways.get(gatewayId);
    if (known && report.number <= known.number) {
      return { stale: true, changed: false, buckets: null, settled: epoch.settled };
    }
    const gateway = known ?? { number: 0, seenAt: 0, roster: new Roster() };
    gateway.number = report.number;
    gateway.seenAt = epoch.clock.now;
    this.#gateways.set(gatewayId, gateway);
    this.#leases.set(gatewayId, epoch.clock.logical + this.#durations.lease);

    const { roster } = gateway;
    let changed = false;
    if (replaced) {
      const gone = roster.replace(replaced.bucket, replaced.users);
      for (const [userId] of replaced.users) {
        changed = this.#attach(epoch, userId, gatewayId) || changed;
      }
      for (const userId of gone) {
        changed = this.#detach(epoch, userId, gatewayId, this.#goneFor(epoch, 0)) || changed;
      }
    }
    for (const [userId, hash, ago] of report.disconnected) {
      roster.remove(hash % ROSTER_BUCKETS, userId);
      changed = this.#detach(epoch, userId, gatewayId, this.#goneFor(epoch, ago)) || changed;
    }
    for (const [userId, hash] of report.connected) {
      roster.add(hash % ROSTER_BUCKETS, userId, hash);
      changed = this.#attach(epoch, userId, gatewayId) || changed;
    }
    const agrees = roster.users === digest.users && roster.sum === digest.sum;
    return {
      stale: false,
      changed,
      buckets: agrees ? null : roster.sums(),
      settled: epoch.settled,
    };
  }

  async sweep({ aliveAt, limit }: { aliveAt: number; limit: number }): Promise<SweepOutcome> {
    this.#requireOpen();
    const epoch = this.#epoch ? this.#tick() : this.#begin(aliveAt);
    const { logical } = epoch.clock;
    let budget = within(limit);
    while (budget > 0) {
      const lease = this.#leases.due(logical);
      if (!lease) {
        break;
      }
      budget = this.#settleGateway(epoch, lease.id, lease.deadline, budget);
    }
    while (budget > 0) {
      const due = this.#leaving.due(logical);
      if (!due) {
        break;
      }
      this.#leave(epoch, due.id);
      budget -= 1;
    }
    const recover =
      !epoch.settled &&
      logical >= epoch.logicalBegin + this.#durations.warmUp &&
      logical >= epoch.recoveringUntil;
    if (recover) {
      epoch.recoveringUntil = logical + this.#durations.claim;
    }
    return {
      more: Boolean(this.#leases.due(logical) ?? this.#leaving.due(logical)),
      pending: Boolean(this.#pending.due(logical)),
      recover,
      settled: epoch.settled,
    };
  }

  async claim(limit: number): Promise<Claim[]> {
    const epoch = this.#tick();
    const claims: Claim[] = [];
    while (claims.length < within(limit)) {
      const due = this.#pending.due(epoch.clock.logical);
      const user = due && this.#users.get(due.id);
      if (!due || !user) {
        break;
      }
      epoch.lastToken += 1;
      const { told, on, changedAt } = user;
      user.claimed = { token: epoch.lastToken, toldBefore: told };
      user.told = null;
      const seenAt = on ? user.cameAt : user.seenAt;
      claims.push({ userId: due.id, online: on, seenAt, changedAt, told, token: epoch.lastToken });
      this.#pending.set(due.id, epoch.clock.logical + this.#durations.claim);
    }
    return claims;
  }

  async commit(claims: readonly Claim[]): Promise<void> {
    const epoch = this.#tick();
    for (const { userId, online, changedAt, token } of claims) {
      const user = this.#users.get(userId);
      if (user?.claimed?.token !== token) {
        continue;
      }
      this.#pending.delete(userId);
      if (user.changedAt === changedAt && !user.on) {
        this.#users.delete(userId);
        epoch.forgottenAt = Math.max(epoch.forgottenAt, changedAt);
        continue;
      }
      user.told = online;
      user.claimed = null;
      if (user.changedAt !== changedAt) {
        this.#mark(epoch, userId, user);
      }
    }
  }

  async release(claims: readonly Claim[], delay: number): Promise<void> {
    const epoch = this.#tick();
    for (const { userId, token } of claims) {
      const user = this.#users.get(userId);
      if (user?.claimed?.token === token) {
        user.told = user.claimed.toldBefore;
        user.claimed = null;
        this.#pending.set(userId, epoch.clock.logical + delay);
        this.#mark(epoch, userId, user);
      }
    }
  }

  async locate(userIds: readonly UserId[]): Promise<Map<GatewayId, UserId[]> | null> {
    if (!this.#requireEpoch().settled) {
      return null;
    }
    const located = new Map<GatewayId, UserId[]>();
    for (const userId of userIds) {
      for (const gatewayId of this.#users.get(userId)?.gateways ?? []) {
        const there = located.get(gatewayId) ?? [];
        there.push(userId);
        located.set(gatewayId, there);
      }
    }
    return located;
  }

  async declareLost(userIds: readonly UserId[]): Promise<void> {
    const epoch = this.#tick();
    if (epoch.settled) {
      return;
    }
    this.#requireRecovery(epoch);
    epoch.recoveringUntil = epoch.clock.logical + this.#durations.claim;
    for (const userId of userIds) {
      if (!this.#users.has(userId)) {
        const user: User = {
          on: false,
          changedAt: Math.max(epoch.clock.now, epoch.forgottenAt + 1),
          cameAt: epoch.aliveAt,
          seenAt: epoch.aliveAt,
          told: true,
          claimed: null,
          gateways: [],
        };
        this.#users.set(userId, user);
        this.#mark(epoch, userId, user);
      }
    }
  }

  async settle(): Promise<void> {
    const epoch = this.#tick();
    if (!epoch.settled) {
      this.#requireRecovery(epoch);
      epoch.settled = true;
    }
  }

  async size(): Promise<{ gateways: number; pending: number; leaving: number }> {
    this.#requireEpoch();
    return {
      gateways: this.#leases.size,
      pending: this.#pending.size,
      leaving: this.#leaving.size,
    };
  }

  async check(): Promise<void> {
    this.#requireEpoch();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw unavailable('The presence store', new Error('it was closed'));
    }
  }

  #requireEpoch(): Epoch {
    this.#requireOpen();
    if (!this.#epoch) {
      throw unavailable('The presence store', new Error('no epoch has begun'));
    }
    return this.#epoch;
  }

  #requireRecovery(epoch: Epoch): void {
    if (epoch.clock.logical >= epoch.recoveringUntil) {
      throw unavailable('The claim of the recovery');
    }
  }

  #tick(): Epoch {
    const epoch = this.#requireEpoch();
    epoch.clock.tick();
    return epoch;
  }

  #begin(aliveAt: number): Epoch {
    const clock = new PresenceClock(this.#realTime);
    this.#epoch = {
      clock,
      logicalBegin: clock.logical,
      aliveAt,
      settled: false,
      recoveringUntil: 0,
      lastToken: clock.now * 1000,
      forgottenAt: 0,
    };
    return this.#epoch;
  }

  /** True when the user was away. */
  #attach(epoch: Epoch, userId: UserId, gatewayId: GatewayId): boolean {
    const known = this.#users.get(userId);
    if (known?.gateways.includes(gatewayId)) {
      return false;
    }
    this.#leaving.delete(userId);
    if (known?.on) {
      known.gateways.push(gatewayId);
      return false;
    }
    const { now } = epoch.clock;
    const user: User = {
      on: true,
      // Higher than before, even when the clock was turned back since the user was forgotten.
      changedAt: Math.max(now, (known?.changedAt ?? epoch.forgottenAt) + 1),
      cameAt: now,
      seenAt: now,
      told: known ? known.told : epoch.settled ? false : 'unknown',
      claimed: known?.claimed ?? null,
      gateways: [gatewayId],
    };
    this.#users.set(userId, user);
    this.#mark(epoch, userId, user);
    return true;
  }

  #goneFor(epoch: Epoch, ago: number): { seenAt: number; deadline: number } {
    const { now, logical } = epoch.clock;
    return { seenAt: now - ago, deadline: logical + Math.max(this.#durations.grace - ago, 0) };
  }

  /** True when it was the last gateway of the user. */
  #detach(
    epoch: Epoch,
    userId: UserId,
    gatewayId: GatewayId,
    { seenAt, deadline }: { seenAt: number; deadline: number },
  ): boolean {
    const user = this.#users.get(userId);
    const place = user?.gateways.indexOf(gatewayId) ?? -1;
    if (!user || place < 0) {
      return false;
    }
    user.gateways.splice(place, 1);
    user.seenAt = Math.max(user.seenAt, seenAt);
    if (user.gateways.length > 0) {
      return false;
    }
    const warm = epoch.logicalBegin + this.#durations.warmUp;
    this.#leaving.set(userId, Math.max(deadline, warm));
    return true;
  }

  #leave(epoch: Epoch, userId: UserId): void {
    this.#leaving.delete(userId);
    const user = this.#users.get(userId);
    if (user?.on) {
      user.on = false;
      user.changedAt = Math.max(epoch.clock.now, user.changedAt + 1);
      this.#mark(epoch, userId, user);
    }
  }

  /**
   * Puts a change where it can be claimed. A user who is back before anybody heard of the absence
   * has not changed. One who was here unheard has: there is a newer "last seen" to be kept.
   */
  #mark(epoch: Epoch, userId: UserId, user: User): void {
    if (user.on && user.told === true) {
      this.#pending.delete(userId);
    } else if (!this.#pending.has(userId)) {
      this.#pending.set(userId, epoch.clock.logical);
    }
  }

  /** @returns what is left of the budget. */
  #settleGateway(epoch: Epoch, gatewayId: GatewayId, lease: number, budget: number): number {
    const gateway = this.#gateways.get(gatewayId);
    const gone = gateway?.roster.take(budget) ?? [];
    const deadline = lease + this.#durations.grace;
    for (const userId of gone) {
      this.#detach(epoch, userId, gatewayId, { seenAt: gateway?.seenAt ?? 0, deadline });
    }
    if (gateway && gateway.roster.users > 0) {
      return 0;
    }
    this.#leases.delete(gatewayId);
    this.#gateways.delete(gatewayId);
    return budget - gone.length - 1;
  }
}

function within(limit: number): number {
  return Math.max(1, Math.min(limit, USERS_PER_CALL));
}
