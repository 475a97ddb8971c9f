import type { GatewayId, PresenceReport, UserId } from '@bambochat/protocol';

/**
 * Who is connected where right now: leases of gateways, and the users that hang on them. Holds
 * nothing that gateways could not tell again, and nothing for each socket: it costs by gateways,
 * connects and disconnects.
 *
 * A user is **here** while any gateway has them, and for `grace` longer. Each change between here
 * and away is a **transition**, waits until a caller claims it, and is claimed again by another when
 * the claimer neither commits nor releases it in time: announced at least once, in order for each
 * user, by one caller at a time. `changedAt` of a transition is the same for every claim of it, so
 * that who hears it twice can tell.
 *
 * Every method is atomic and safe to call from any number of processes. All but {@link sweep} reject
 * with AppError `UNAVAILABLE` while the store is empty, and all when the engine does not answer.
 *
 * **Time** is the engine's and stands still when nobody looks: while no method was called for longer
 * than 3 s (the engine or all services were away), and when the clock jumps back. Leases, grace and
 * claims then run on where they were. Times that users see (`seenAt`) are real ones. Questions
 * (`locate`, `size`, `check`) do not make it pass: a probe of health must not let leases run out.
 */
export interface PresenceStore {
  /**
   * Renews the gateway's lease and applies the report: its parts in the order `replaced`,
   * `disconnected`, `connected`. Of a departure that the user's last gateway reports again, the
   * earlier moment counts: the first report may have been long on its way.
   */
  report(report: PresenceReport): Promise<ReportOutcome>;

  /**
   * Makes time pass: users of gateways whose lease has run out leave as of the gateway's last
   * report, with their grace counted from the end of the lease; users whose grace is over are away.
   * Handles at most about `limit` users a call.
   *
   * On an empty store it begins a new epoch: nobody becomes away before `warmUp` is over, so that all
   * gateways can tell again whom they have.
   *
   * @param aliveAt real milliseconds of the last moment at which presence is known to have worked;
   *   used by a new epoch only: who was lost with the old one was last seen then.
   */
  sweep(options: { aliveAt: number; limit: number }): Promise<SweepOutcome>;

  /** Up to `limit` transitions that nobody else is announcing. */
  claim(limit: number): Promise<Claim[]>;
  /** They were announced. What has changed meanwhile can be claimed next. */
  commit(claims: readonly Claim[]): Promise<void>;
  /** They were not announced, to nobody: can be claimed again after `delay` ms. */
  release(claims: readonly Claim[], delay: number): Promise<void>;

  /** On which gateways these users (at most 500) are; null while that is not `settled`. */
  locate(userIds: readonly UserId[]): Promise<Map<GatewayId, UserId[]> | null>;

  /**
   * For recovery: of users who were told to be online (at most 500), those of whom the new epoch
   * knows nothing become away, last seen at its `aliveAt`. Renews the claim of the recovery. Does
   * nothing when the epoch is settled already.
   *
   * @throws AppError `UNAVAILABLE` when no caller holds the claim of the recovery: the caller was too
   * slow or its epoch is gone, and has to begin anew when a sweep asks for it.
   */
  declareLost(userIds: readonly UserId[]): Promise<void>;
  /** Recovery is done: the epoch is settled. @throws as {@link declareLost}. */
  settle(): Promise<void>;

  /** Numbers for metrics. */
  size(): Promise<{ gateways: number; pending: number; leaving: number }>;
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface PresenceDurations {
  /** Milliseconds that a gateway's lease lives after a report. */
  lease: number;
  /** Milliseconds that a user stays here after the last device has gone. */
  grace: number;
  /** Milliseconds at the beginning of an epoch in which nobody becomes away. */
  warmUp: number;
  /** Milliseconds after which a claim that was not settled can be claimed again. */
  claim: number;
}

export interface ReportOutcome {
  /** A newer report was there before: this one did nothing. */
  stale: boolean;
  /** Some user came, or left the last gateway. */
  changed: boolean;
  /** As in the answer to the gateway: null when the digests agree. */
  buckets: [bucket: number, sum: number][] | null;
  settled: boolean;
}

export interface SweepOutcome {
  /** There may be more to do right away. */
  more: boolean;
  /** Transitions wait to be claimed. */
  pending: boolean;
  /** The warm-up is over and this caller is the one to recover what the old epoch knew. */
  recover: boolean;
  settled: boolean;
}

export interface Claim {
  userId: UserId;
  online: boolean;
  /** Real milliseconds: when the user was last here; when online, when they came. */
  seenAt: number;
  /** Milliseconds; rises with every transition of the user. */
  changedAt: number;
  /**
   * What friends were told before: null when another claimer may or may not have told them already,
   * `unknown` when only the {@link StatusStore} knows, in an epoch that is not settled. Equal to
   * `online` (false) after a visit that nobody was told of: only `seenAt` is news.
   */
  told: boolean | null | 'unknown';
  /** Tells this claim from others of the same user. */
  token: number;
}
