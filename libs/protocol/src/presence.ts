import { z } from 'zod';
import {
  gatewayIdSchema,
  isoTimestampSchema,
  presenceReplicaIdSchema,
  userIdSchema,
} from './ids.ts';

/**
 * `user_online_status`. `lastSeenAt`: of a user who went offline, when they were last here; of one
 * who came, when they were here before, or this moment at the first time.
 */
export const onlineStatusSchema = z.object({
  userId: userIdSchema,
  online: z.boolean(),
  lastSeenAt: isoTimestampSchema,
});
export type OnlineStatus = z.infer<typeof onlineStatusSchema>;

/** Into how many parts a gateway's roster is divided, so that repairing one costs one part. */
export const ROSTER_BUCKETS = 256;
/** Users in one report. */
export const REPORTED_USERS_MAX = 500;

const count = z.number().int().nonnegative();
const hash = z.number().int().min(0).max(0xffff_ffff);

/**
 * A user on a gateway, and the gateway's own hash of the id: `hash % ROSTER_BUCKETS` is the part of
 * the roster that holds the user, and the sum of the hashes is what gateway and store compare.
 */
export const rosterEntrySchema = z.tuple([userIdSchema, hash]);
export type RosterEntry = z.infer<typeof rosterEntrySchema>;

/**
 * `presence.report`: heartbeat of a gateway and what has changed on it since the last one. Sent one
 * after the other; saying the same again changes nothing.
 */
export const presenceReportSchema = z.object({
  gatewayId: gatewayIdSchema,
  /** Rises with every report, retries included: an older one that comes late is refused. */
  number: z.number().int().positive(),
  /** Users of whom a first device is here. */
  connected: z.array(rosterEntrySchema).max(REPORTED_USERS_MAX),
  /** Users of whom the last device has gone, and how many milliseconds ago. */
  disconnected: z.array(z.tuple([userIdSchema, hash, count])).max(REPORTED_USERS_MAX),
  /** All users of one part of the roster, in place of what the store has. */
  replaced: z
    .object({
      bucket: z
        .number()
        .int()
        .min(0)
        .max(ROSTER_BUCKETS - 1),
      users: z.array(rosterEntrySchema),
    })
    .optional(),
  /** Of the whole roster after this report. */
  digest: z.object({ users: count, sum: count }),
});
export type PresenceReport = z.infer<typeof presenceReportSchema>;

export const presenceReportAnswerSchema = z.object({
  /** Who answers. */
  replicaId: presenceReplicaIdSchema,
  /** Milliseconds after which the next report is due, changes or not. */
  nextReportIn: z.number().int().positive(),
  /**
   * Null when the digests agree. Else the sum of every part that the store has, `[bucket, sum]`,
   * 0 for those that are not named: parts that differ have to be replaced.
   */
  buckets: z
    .array(
      z.tuple([
        z
          .number()
          .int()
          .min(0)
          .max(ROSTER_BUCKETS - 1),
        count,
      ]),
    )
    .nullable(),
  /**
   * False while everything is being rebuilt after a start or a loss of the presence store. When it
   * is true, users in a part that differs may have missed changes of their friends.
   */
  settled: z.boolean(),
});
export type PresenceReportAnswer = z.infer<typeof presenceReportAnswerSchema>;

export const SNAPSHOT_USERS_MAX = 100;

/** `presence.snapshots`: which friends of these users are online. */
export const snapshotsRequestSchema = z.object({
  userIds: z.array(userIdSchema).min(1).max(SNAPSHOT_USERS_MAX),
});
export type SnapshotsRequest = z.infer<typeof snapshotsRequestSchema>;

/** Of the users asked for, at least the first and maybe not all: an answer has a bounded size. */
export const snapshotsAnswerSchema = z.object({
  snapshots: z.array(z.object({ userId: userIdSchema, online: z.array(userIdSchema) })).min(1),
});
export type SnapshotsAnswer = z.infer<typeof snapshotsAnswerSchema>;

/**
 * One status, for some users on a gateway. `change`: the user came or went. `reveal`: they became
 * friends. `hide`: they are friends no more; nothing but a `reveal` may follow.
 */
export const statusChangeSchema = onlineStatusSchema.extend({
  kind: z.enum(['change', 'reveal', 'hide']),
  /** Rises with every change of this user: tells late and repeated ones. Milliseconds. */
  changedAt: count,
  to: z.array(userIdSchema).min(1),
});
export type StatusChange = z.infer<typeof statusChangeSchema>;
export const statusChangesSchema = z.object({ changes: z.array(statusChangeSchema).min(1) });
export type StatusChanges = z.infer<typeof statusChangesSchema>;
