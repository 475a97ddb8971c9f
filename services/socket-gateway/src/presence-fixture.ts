import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  type PresenceReport,
  type PresenceReportAnswer,
  presenceReplicaIdSchema,
  presenceReportSchema,
  ROSTER_BUCKETS,
  type SnapshotsAnswer,
  type SnapshotsRequest,
  snapshotsRequestSchema,
  subjects,
} from '@bambochat/protocol';

export type PlayedPresence = ReturnType<typeof playPresence>;

/**
 * A presence-service that believes what it is told, and lets a test look at it, take it away, slow
 * it down and spoil what it knows.
 */
export function playPresence(bus: EventBus) {
  const reports: PresenceReport[] = [];
  const snapshotRequests: SnapshotsRequest[] = [];
  /** The roster as the reports made it: user to hash. */
  const users = new Map<string, number>();
  const friendsOnline = new Map<string, string[]>();
  const script = {
    nextReportIn: 60_000,
    settled: true,
    /** Runs before a report is applied; what it throws is the answer. */
    beforeReport: async (_report: PresenceReport) => {},
    /** Runs between the report and its answer. */
    afterReport: async (_report: PresenceReport) => {},
    /** Runs when the answer is known and has not left. */
    beforeSnapshots: async (_request: SnapshotsRequest) => {},
    /** How many of the users asked for are answered. */
    snapshotsMax: 100,
  };
  const replicaId = presenceReplicaIdSchema.parse('replica-1');
  let present: Subscription[] = [];
  let answerAny = answerReport;

  function apply(report: PresenceReport): void {
    if (report.replaced !== undefined) {
      for (const [userId, hash] of [...users]) {
        if (hash % ROSTER_BUCKETS === report.replaced.bucket) {
          users.delete(userId);
        }
      }
      for (const [userId, hash] of report.replaced.users) {
        users.set(userId, hash);
      }
    }
    for (const [userId] of report.disconnected) {
      users.delete(userId);
    }
    for (const [userId, hash] of report.connected) {
      users.set(userId, hash);
    }
  }

  function bucketSums(): [number, number][] {
    const sums = new Map<number, number>();
    for (const hash of users.values()) {
      const bucket = hash % ROSTER_BUCKETS;
      sums.set(bucket, (sums.get(bucket) ?? 0) + hash);
    }
    return [...sums];
  }

  function agrees({ digest }: PresenceReport): boolean {
    const sum = [...users.values()].reduce((total, hash) => total + hash, 0);
    return digest.users === users.size && digest.sum === sum;
  }

  async function answerReport(payload: unknown): Promise<PresenceReportAnswer> {
    const report = presenceReportSchema.parse(payload);
    reports.push(report);
    await script.beforeReport(report);
    apply(report);
    await script.afterReport(report);
    return {
      replicaId,
      nextReportIn: script.nextReportIn,
      buckets: agrees(report) ? null : bucketSums(),
      settled: script.settled,
    };
  }

  async function answerSnapshots(payload: unknown): Promise<SnapshotsAnswer> {
    const request = snapshotsRequestSchema.parse(payload);
    snapshotRequests.push(request);
    const snapshots = request.userIds.slice(0, script.snapshotsMax).map((userId) => ({
      userId,
      online: (friendsOnline.get(userId) ?? []) as typeof request.userIds,
    }));
    await script.beforeSnapshots(request);
    return { snapshots };
  }

  function comeBack(): void {
    present = [
      bus.respond(subjects.presenceReport, (payload) => answerAny(payload), { queue: 'presence' }),
      bus.respond(subjects.presenceReportTo(replicaId), answerReport, { queue: 'presence' }),
      bus.respond(subjects.presenceSnapshots, answerSnapshots, { queue: 'presence' }),
    ];
  }

  comeBack();
  return {
    reports,
    snapshotRequests,
    users,
    friendsOnline,
    script,
    comeBack,
    /** Reports to any replica reach one that hangs; those to this one do not. */
    hangForAny() {
      answerAny = () => new Promise<never>(() => {});
    },
    /** Nobody answers any more. */
    goAway() {
      for (const subscription of present) {
        subscription.unsubscribe();
      }
    },
    /** Everybody whom reports named as come, or as gone, in order. */
    told: (kind: 'connected' | 'disconnected'): string[] =>
      reports.flatMap((report) => report[kind].map(([userId]) => userId as string)),
  };
}
