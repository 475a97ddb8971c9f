import type { GatewayId, UserId } from '@bambochat/protocol';
import { DeadlineQueue } from './deadline-queue.ts';
import type { PresenceClock } from './presence-clock.ts';
import type { Claim, PresenceDurations } from './presence-store.ts';

/** From the moment on when an empty store was swept. All in milliseconds; which, says the name. */
export interface Epoch {
  readonly clock: PresenceClock;
  readonly logicalBegin: number;
  /** Real. */
  readonly aliveAt: number;
  settled: boolean;
  /** Logical end of the claim of the recovery. */
  recoveringUntil: number;
  lastToken: number;
  /** The highest `changedAt` of users who are not kept any more. */
  forgottenAt: number;
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
  /** The gateway that was left last, and `seenAt` as it was before; null while on any. */
  left: { gatewayId: GatewayId; seenBefore: number } | null;
}

/** The users of one epoch, in memory: what `users.lua` and the scripts about claims are in Redis. */
export class PresenceUsers {
  readonly epoch: Epoch;
  readonly leaving = new DeadlineQueue<UserId>();
  readonly pending = new DeadlineQueue<UserId>();
  readonly #users = new Map<UserId, User>();
  readonly #durations: PresenceDurations;

  constructor(epoch: Epoch, durations: PresenceDurations) {
    this.epoch = epoch;
    this.#durations = durations;
  }

  get size(): number {
    return this.#users.size;
  }

  gatewaysOf(userId: UserId): readonly GatewayId[] {
    return this.#users.get(userId)?.gateways ?? [];
  }

  /** @returns true when the user was away. */
  attach(userId: UserId, gatewayId: GatewayId): boolean {
    const known = this.#users.get(userId);
    if (known?.gateways.includes(gatewayId)) {
      return false;
    }
    this.leaving.delete(userId);
    if (known?.on) {
      known.gateways.push(gatewayId);
      known.left = null;
      return false;
    }
    const { clock, settled, forgottenAt } = this.epoch;
    const user: User = {
      on: true,
      // Higher than before, even when the clock was turned back since the user was forgotten.
      changedAt: Math.max(clock.now, (known?.changedAt ?? forgottenAt) + 1),
      cameAt: clock.now,
      seenAt: clock.now,
      told: known ? known.told : settled ? false : 'unknown',
      claimed: known?.claimed ?? null,
      gateways: [gatewayId],
      left: null,
    };
    this.#users.set(userId, user);
    this.#mark(userId, user);
    return true;
  }

  /** The gateway says since when. @returns true when it was the user's last. */
  depart(userId: UserId, gatewayId: GatewayId, ago: number): boolean {
    const { now, logical } = this.epoch.clock;
    const user = this.#users.get(userId);
    if (user?.left?.gatewayId === gatewayId) {
      // It says so again: what it said first had been on its way for longer.
      user.seenAt = Math.max(user.left.seenBefore, Math.min(user.seenAt, now - ago));
    }
    const deadline = logical + Math.max(this.#durations.grace - ago, 0);
    return this.detach(userId, gatewayId, now - ago, deadline);
  }

  /** @returns true when it was the user's last gateway: away at the logical `deadline`. */
  detach(userId: UserId, gatewayId: GatewayId, seenAt: number, deadline: number): boolean {
    const user = this.#users.get(userId);
    const place = user?.gateways.indexOf(gatewayId) ?? -1;
    if (!user || place < 0) {
      return false;
    }
    user.gateways.splice(place, 1);
    const seenBefore = user.seenAt;
    user.seenAt = Math.max(seenBefore, seenAt);
    if (user.gateways.length > 0) {
      return false;
    }
    user.left = { gatewayId, seenBefore };
    const warm = this.epoch.logicalBegin + this.#durations.warmUp;
    this.leaving.set(userId, Math.max(deadline, warm));
    return true;
  }

  leave(userId: UserId): void {
    this.leaving.delete(userId);
    const user = this.#users.get(userId);
    if (user?.on) {
      user.on = false;
      user.changedAt = Math.max(this.epoch.clock.now, user.changedAt + 1);
      this.#mark(userId, user);
    }
  }

  /** Does nothing for a user of whom anything is known. */
  declareLost(userId: UserId): void {
    if (this.#users.has(userId)) {
      return;
    }
    const { clock, aliveAt, forgottenAt } = this.epoch;
    const user: User = {
      on: false,
      changedAt: Math.max(clock.now, forgottenAt + 1),
      cameAt: aliveAt,
      seenAt: aliveAt,
      told: true,
      claimed: null,
      gateways: [],
      left: null,
    };
    this.#users.set(userId, user);
    this.#mark(userId, user);
  }

  /** The transition that has waited longest. */
  claimNext(): Claim | null {
    const { logical } = this.epoch.clock;
    const due = this.pending.due(logical);
    const user = due && this.#users.get(due.id);
    if (!due || !user) {
      return null;
    }
    this.epoch.lastToken += 1;
    const token = this.epoch.lastToken;
    const { told, on, changedAt } = user;
    user.claimed = { token, toldBefore: told };
    user.told = null;
    const userId = due.id;
    this.pending.set(userId, logical + this.#durations.claim);
    return { userId, online: on, seenAt: on ? user.cameAt : user.seenAt, changedAt, told, token };
  }

  commit({ userId, online, changedAt, token }: Claim): void {
    const user = this.#users.get(userId);
    if (user?.claimed?.token !== token) {
      return;
    }
    this.pending.delete(userId);
    if (user.changedAt === changedAt && !user.on) {
      this.#users.delete(userId);
      this.epoch.forgottenAt = Math.max(this.epoch.forgottenAt, changedAt);
      return;
    }
    user.told = online;
    user.claimed = null;
    if (user.changedAt !== changedAt) {
      this.#mark(userId, user);
    }
  }

  release({ userId, token }: Claim, delay: number): void {
    const user = this.#users.get(userId);
    if (user?.claimed?.token === token) {
      user.told = user.claimed.toldBefore;
      user.claimed = null;
      this.pending.set(userId, this.epoch.clock.logical + delay);
      this.#mark(userId, user);
    }
  }

  /**
   * Puts a change where it can be claimed. A user who is back before anybody heard of the absence
   * has not changed. One who was here unheard has: there is a newer "last seen" to be kept.
   */
  #mark(userId: UserId, user: User): void {
    if (user.on && user.told === true) {
      this.pending.delete(userId);
    } else if (!this.pending.has(userId)) {
      this.pending.set(userId, this.epoch.clock.logical);
    }
  }
}
