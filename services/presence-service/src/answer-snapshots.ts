import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  FRIENDS_MAX,
  type SnapshotsAnswer,
  snapshotsRequestSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import type { FriendStore, StatusStore } from '@bambochat/stores';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';
import { understandRequest } from './understand-request.ts';

/** Friends in one answer, as if all were online: about 270 KB at the most. */
const FRIENDS_PER_ANSWER = FRIENDS_MAX;
/** Users whose friends are read at once: what does not fit into the answer was read in vain. */
const USERS_PER_READ = 25;
/** What `statusesOf` takes. */
const STATUSES_PER_READ = 1000;
const CONCURRENCY = 64;

/**
 * `presence.snapshots`: which friends are online. Reads what friends were told and never who is
 * connected, so that a snapshot and the changes that follow it tell one story.
 */
export function answerSnapshots(deps: {
  bus: EventBus;
  friendStore: Pick<FriendStore, 'friendsOf'>;
  statusStore: Pick<StatusStore, 'statusesOf'>;
  queue: string;
  metrics: PresenceServiceMetrics;
}): Subscription {
  return deps.bus.respond(
    subjects.presenceSnapshots,
    async (payload): Promise<SnapshotsAnswer> => {
      const { userIds } = understandRequest(snapshotsRequestSchema, payload);
      const friends = await friendsThatFit(deps.friendStore, [...new Set(userIds)]);
      const online = await onlineOf(deps.statusStore, new Set([...friends.values()].flat()));
      const snapshots = [...friends].map(([userId, ids]) => ({
        userId,
        online: ids.filter((id) => online.has(id)),
      }));
      deps.metrics.snapshots.inc(snapshots.length);
      return { snapshots };
    },
    { queue: deps.queue, concurrency: CONCURRENCY },
  );
}

/** Friends of the first users, as many as one answer holds; of one user at least. */
async function friendsThatFit(
  friendStore: Pick<FriendStore, 'friendsOf'>,
  userIds: readonly UserId[],
): Promise<Map<UserId, UserId[]>> {
  const fitting = new Map<UserId, UserId[]>();
  let room = FRIENDS_PER_ANSWER;
  for (let from = 0; from < userIds.length; from += USERS_PER_READ) {
    const asked = userIds.slice(from, from + USERS_PER_READ);
    const friends = await friendStore.friendsOf(asked);
    for (const userId of asked) {
      const ids = friends.get(userId) ?? [];
      room -= ids.length;
      if (room < 0 && fitting.size > 0) {
        return fitting;
      }
      fitting.set(userId, ids);
    }
  }
  return fitting;
}

async function onlineOf(
  statusStore: Pick<StatusStore, 'statusesOf'>,
  userIds: ReadonlySet<UserId>,
): Promise<Set<UserId>> {
  const all = [...userIds];
  const online = new Set<UserId>();
  for (let from = 0; from < all.length; from += STATUSES_PER_READ) {
    const statuses = await statusStore.statusesOf(all.slice(from, from + STATUSES_PER_READ));
    for (const status of statuses.values()) {
      if (status.online) {
        online.add(status.userId);
      }
    }
  }
  return online;
}
