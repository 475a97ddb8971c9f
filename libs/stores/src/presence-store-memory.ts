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
import { type Epoch, PresenceUsers } from './presence-users.ts';

export interface MemoryPresenceOptions {
  readonly durations: PresenceDurations;
  /** Real milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
}

/** The presence store for one process. What it knows ends with it, like an emptied Redis. */
export function createMemoryPresenceStore(options: MemoryPresenceOptions): MemoryPresenceStore {
  return new MemoryPresenceStore(options);
}

interface Gateway {
  number: number;
  /** Real milliseconds of its last report. */
  seenAt: number;
  readonly roster: Roster;
}

const USERS_PER_CALL = 500;

export class MemoryPresenceStore implements PresenceStore {
  readonly #durations: PresenceDurations;
  readonly #realTime: () => number;
  readonly #gateways = new Map<GatewayId, Gateway>();
  readonly #leases = new DeadlineQueue<GatewayId>();
  /** Of the epoch; null while the store is empty. */
  #users: PresenceUsers | null = null;
  #closed = false;

  constructor({ durations, clock = Date.now }: MemoryPresenceOptions) {
    this.#durations = durations;
    this.#realTime = clock;
  }

  /** Users of whom anything is kept. */
  get users(): number {
    return this.#users?.size ?? 0;
  }

  async report(report: PresenceReport): Promise<ReportOutcome> {
    const users = this.#tick();
    const { clock, settled } = users.epoch;
    const { gatewayId, digest, replaced } = report;
    const known = this.#gateways.get(gatewayId);
    if (known && report.number <= known.number) {
      return { stale: true, changed: false, buckets: null, settled };
    }
    const gateway = known ?? { number: 0, seenAt: 0, roster: new Roster() };
    gateway.number = report.number;
    gateway.seenAt = clock.now;
    this.#gateways.set(gatewayId, gateway);
    this.#leases.set(gatewayId, clock.logical + this.#durations.lease);

    const { roster } = gateway;
    let changed = false;
    if (replaced) {
      const gone = roster.replace(replaced.bucket, replaced.users);
      for (const [userId] of replaced.users) {
        changed = users.attach(userId, gatewayId) || changed;
      }
      for (const userId of gone) {
        changed = users.depart(userId, gatewayId, 0) || changed;
      }
    }
    for (const [userId, hash, ago] of report.disconnected) {
      roster.remove(hash % ROSTER_BUCKETS, userId);
      changed = users.depart(userId, gatewayId, ago) || changed;
    }
    for (const [userId, hash] of report.connected) {
      roster.add(hash % ROSTER_BUCKETS, userId, hash);
      changed = users.attach(userId, gatewayId) || changed;
    }
    const agrees = roster.users === digest.users && roster.sum === digest.sum;
    return { stale: false, changed, buckets: agrees ? null : roster.sums(), settled };
  }

  async sweep({ aliveAt, limit }: { aliveAt: number; limit: number }): Promise<SweepOutcome> {
    this.#requireOpen();
    const users = this.#users ? this.#tick() : this.#begin(aliveAt);
    const { epoch, leaving, pending } = users;
    const { logical } = epoch.clock;
    let budget = within(limit);
    while (budget > 0) {
      const lease = this.#leases.due(logical);
      if (!lease) {
        break;
      }
      budget = this.#settleGateway(users, lease.id, lease.deadline, budget);
    }
    while (budget > 0) {
      const due = leaving.due(logical);
      if (!due) {
        break;
      }
      users.leave(due.id);
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
      more: Boolean(this.#leases.due(logical) ?? leaving.due(logical)),
      pending: Boolean(pending.due(logical)),
      recover,
      settled: epoch.settled,
    };
  }

  async claim(limit: number): Promise<Claim[]> {
    const users = this.#tick();
    const claims: Claim[] = [];
    for (let claim = users.claimNext(); claim; ) {
      claims.push(claim);
      claim = claims.length < within(limit) ? users.claimNext() : null;
    }
    return claims;
  }

  async commit(claims: readonly Claim[]): Promise<void> {
    const users = this.#tick();
    for (const claim of claims) {
      users.commit(claim);
    }
  }

  async release(claims: readonly Claim[], delay: number): Promise<void> {
    const users = this.#tick();
    for (const claim of claims) {
      users.release(claim, delay);
    }
  }

  async locate(userIds: readonly UserId[]): Promise<Map<GatewayId, UserId[]> | null> {
    const users = this.#requireUsers();
    if (!users.epoch.settled) {
      return null;
    }
    const located = new Map<GatewayId, UserId[]>();
    for (const userId of userIds) {
      for (const gatewayId of users.gatewaysOf(userId)) {
        const there = located.get(gatewayId) ?? [];
        there.push(userId);
        located.set(gatewayId, there);
      }
    }
    return located;
  }

  async declareLost(userIds: readonly UserId[]): Promise<void> {
    const users = this.#tick();
    const { epoch } = users;
    if (epoch.settled) {
      return;
    }
    requireRecovery(epoch);
    epoch.recoveringUntil = epoch.clock.logical + this.#durations.claim;
    for (const userId of userIds) {
      users.declareLost(userId);
    }
  }

  async settle(): Promise<void> {
    const { epoch } = this.#tick();
    if (!epoch.settled) {
      requireRecovery(epoch);
      epoch.settled = true;
    }
  }

  async size(): Promise<{ gateways: number; pending: number; leaving: number }> {
    const { pending, leaving } = this.#requireUsers();
    return { gateways: this.#leases.size, pending: pending.size, leaving: leaving.size };
  }

  async check(): Promise<void> {
    this.#requireUsers();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw unavailable('The presence store', new Error('it was closed'));
    }
  }

  #requireUsers(): PresenceUsers {
    this.#requireOpen();
    if (!this.#users) {
      throw unavailable('The presence store', new Error('no epoch has begun'));
    }
    return this.#users;
  }

  #tick(): PresenceUsers {
    const users = this.#requireUsers();
    users.epoch.clock.tick();
    return users;
  }

  #begin(aliveAt: number): PresenceUsers {
    const clock = new PresenceClock(this.#realTime);
    const epoch: Epoch = {
      clock,
      logicalBegin: clock.logical,
      aliveAt,
      settled: false,
      recoveringUntil: 0,
      lastToken: clock.now * 1000,
      forgottenAt: 0,
    };
    this.#users = new PresenceUsers(epoch, this.#durations);
    return this.#users;
  }

  /** @returns what is left of the budget. */
  #settleGateway(users: PresenceUsers, id: GatewayId, lease: number, budget: number): number {
    const gateway = this.#gateways.get(id);
    const gone = gateway?.roster.take(budget) ?? [];
    for (const userId of gone) {
      users.detach(userId, id, gateway?.seenAt ?? 0, lease + this.#durations.grace);
    }
    if (gateway && gateway.roster.users > 0) {
      return 0;
    }
    this.#leases.delete(id);
    this.#gateways.delete(id);
    return budget - gone.length - 1;
  }
}

function requireRecovery(epoch: Epoch): void {
  if (epoch.clock.logical >= epoch.recoveringUntil) {
    throw unavailable('The claim of the recovery');
  }
}

function within(limit: number): number {
  return Math.max(1, Math.min(limit, USERS_PER_CALL));
}
