import { type PresenceReplicaId, subjects } from '@bambochat/protocol';

export interface PresenceReplicas {
  /** This one has just answered. */
  answered(replicaId: PresenceReplicaId): void;
  /** Where to report, after so many failures in a row. */
  subject(failures: number): string;
}

/** Replicas that are remembered, those that were replaced long ago among them. */
const REPLICAS_MAX = 16;

/**
 * Spreads reports over all replicas of presence-service as long as they are answered. A replica that
 * hangs still gets its share of what any may answer, so retries go to replicas by name: first the
 * one that answered last, then the others, and any again.
 */
export function createPresenceReplicas(): PresenceReplicas {
  /** The one that answered last is the first. */
  let known: PresenceReplicaId[] = [];

  return {
    answered(replicaId) {
      known = [replicaId, ...known.filter((id) => id !== replicaId)].slice(0, REPLICAS_MAX);
    },
    subject(failures) {
      const turn = failures % (known.length + 1);
      const replicaId = turn === 0 ? undefined : known[turn - 1];
      return replicaId === undefined
        ? subjects.presenceReport
        : subjects.presenceReportTo(replicaId);
    },
  };
}
