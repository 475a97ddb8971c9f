import { setTimeout as pause } from 'node:timers/promises';
import { type EventBus, settlesWithin } from '@bambochat/messaging';
import type { Logger } from '@bambochat/runtime';
import type { FriendStore, PresenceStore, StatusStore } from '@bambochat/stores';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';
import { createTrouble } from './report-trouble.ts';
import { tellFriends } from './tell-friends.ts';

const CLAIMS_PER_ROUND = 100;
/**
 * Milliseconds from the beginning of one round to the next, unless a round was full: a first change
 * is told at once, and what comes soon after shares its writes, questions and messages.
 */
const ROUND_INTERVAL = 50;
/** The part of a claim's time that may be used: the rest is for who measures it otherwise. */
const CLAIM_SHARE = 0.8;
/** Milliseconds after a failure in which nobody needs to ask again: a sweep asks soon. */
const COOLING = 250;

export interface Announcer {
  /** There may be transitions to announce. Cheap: one round of announcing runs at a time. */
  wake(): void;
  /** Announces what there is and ends; resolves when it is done or `timeout` ms are over. */
  drain(timeout: number): Promise<void>;
  /** Ends between two steps. Resolves when it has, or after `timeout` ms. */
  stop(timeout: number): Promise<void>;
}

/** Claims transitions for as long as there are any and tells friends of them. */
export function createAnnouncer(deps: {
  bus: EventBus;
  presenceStore: Pick<PresenceStore, 'claim' | 'commit' | 'release' | 'locate'>;
  statusStore: Pick<StatusStore, 'record' | 'statusesOf' | 'check'>;
  friendStore: Pick<FriendStore, 'friendsOf' | 'check'>;
  /** Milliseconds that a claim lives. */
  claim: number;
  metrics: PresenceServiceMetrics;
  logger: Logger;
}): Announcer {
  const { bus, presenceStore, statusStore, friendStore, metrics } = deps;
  const trouble = createTrouble(deps.logger, {
    begins: 'statuses wait to be announced',
    ends: 'statuses are announced again',
  });
  let running: Promise<void> | null = null;
  let wanted = false;
  let stopped = false;
  let failing = false;
  let coolUntil = 0;

  async function run(): Promise<void> {
    while (wanted && !stopped) {
      wanted = false;
      try {
        if (await announceAll()) {
          failing = false;
          trouble.over();
        }
      } catch (error) {
        failing = true;
        wanted = false;
        coolUntil = performance.now() + COOLING;
        if (!stopped) {
          trouble.failed(error);
        }
      }
    }
  }

  /** @returns false when it could not begin. */
  async function announceAll(): Promise<boolean> {
    while (!stopped) {
      // Asked before claiming, so that what cannot be announced now stays unclaimed: an attempt that
      // dies with its claim makes the next one repeat what may have been heard.
      if (!(await bus.flush())) {
        return false;
      }
      if (failing) {
        await Promise.all([statusStore.check(), friendStore.check()]);
      }
      const begun = performance.now();
      const claims = await presenceStore.claim(CLAIMS_PER_ROUND);
      if (claims.length === 0) {
        return true;
      }
      await tellFriends(deps, claims, begun + deps.claim * CLAIM_SHARE);
      failing = false;
      trouble.over();
      metrics.announcementDuration.observe((performance.now() - begun) / 1000);
      if (claims.length < CLAIMS_PER_ROUND) {
        await pause(Math.max(0, begun + ROUND_INTERVAL - performance.now()));
      }
    }
    return true;
  }

  function wake(): void {
    if (stopped || performance.now() < coolUntil) {
      return;
    }
    wanted = true;
    running ??= run().finally(() => {
      running = null;
    });
  }

  return {
    wake,
    async drain(timeout) {
      wake();
      await settlesWithin(running ?? Promise.resolve(), timeout);
      stopped = true;
    },
    async stop(timeout) {
      stopped = true;
      await settlesWithin(running ?? Promise.resolve(), timeout);
    },
  };
}
