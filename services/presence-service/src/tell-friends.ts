import type { EventBus } from '@bambochat/messaging';
import { type GatewayId, type UserId, unavailable } from '@bambochat/protocol';
import type { Claim, FriendStore, PresenceStore, StatusStore } from '@bambochat/stores';
import { type Decision, decideAnnouncement } from './decide-announcement.ts';
import type { PresenceServiceMetrics } from './presence-service-metrics.ts';
import { resultWithin } from './result-within.ts';
import { type News, statusMessages } from './status-messages.ts';

/** Friends who are told before the next flush and commit. */
const FRIENDS_PER_ROUND = 20_000;
/** What `locate` takes. */
const USERS_PER_LOOK = 500;
/** Milliseconds until transitions that nobody heard of are tried again. */
const RELEASE_DELAY = 1000;

export interface FriendTelling {
  bus: EventBus;
  presenceStore: Pick<PresenceStore, 'commit' | 'release' | 'locate'>;
  statusStore: Pick<StatusStore, 'record' | 'statusesOf'>;
  friendStore: Pick<FriendStore, 'friendsOf'>;
  metrics: PresenceServiceMetrics;
}

/**
 * Announces claimed transitions: keep, tell, commit.
 *
 * The order is what makes every friend hear of it once. Kept before friends are read: who becomes a
 * friend later is shown what is kept. Kept before friends are located: who connects later is given a
 * snapshot of what is kept. Committed once the broker has it: who dies in between has it done again,
 * and gateways drop what they know by `changedAt`.
 *
 * @param deadline `performance.now()` after which others may have claimed the same.
 * @throws AppError or Error when some of it has to be done again. What nobody has heard of was
 *   released; what may have been heard stays claimed until the claim runs out.
 */
export async function tellFriends(
  telling: FriendTelling,
  claims: readonly Claim[],
  deadline: number,
): Promise<void> {
  const { presenceStore, metrics } = telling;
  /** Nobody has heard of these. */
  const unheard = new Set(claims);
  try {
    const decisions = await keepStatuses(telling, claims, deadline);
    const silent = decisions.filter((decision) => decision.silent).map(({ claim }) => claim);
    if (silent.length > 0) {
      await presenceStore.commit(silent);
      remove(unheard, silent);
      metrics.transitions.inc({ outcome: 'silent' }, silent.length);
    }
    for (const round of await findFriends(telling, decisions, deadline)) {
      await publishRound(telling, round, deadline, unheard);
      metrics.transitions.inc({ outcome: 'told' }, round.length);
    }
  } catch (error) {
    metrics.announcementFailures.inc({ kind: unheard.size > 0 ? 'unheard' : 'unsure' });
    if (unheard.size > 0) {
      await presenceStore.release([...unheard], RELEASE_DELAY);
    }
    throw error;
  }
}

interface Telling extends News {
  claim: Claim;
}

async function keepStatuses(
  { statusStore }: FriendTelling,
  claims: readonly Claim[],
  deadline: number,
): Promise<Decision[]> {
  const userIds = claims.map(({ userId }) => userId);
  const kept = await beforeDeadline(statusStore.statusesOf(userIds), deadline);
  const decisions = claims.map((claim) => decideAnnouncement(claim, kept.get(claim.userId)));
  await beforeDeadline(statusStore.record(decisions.map(({ status }) => status)), deadline);
  return decisions;
}

/** In rounds of bounded size. */
async function findFriends(
  { friendStore }: FriendTelling,
  decisions: readonly Decision[],
  deadline: number,
): Promise<Telling[][]> {
  const loud = decisions.filter(({ silent }) => !silent);
  if (loud.length === 0) {
    return [];
  }
  const userIds = loud.map(({ claim }) => claim.userId);
  const friendsOf = await beforeDeadline(friendStore.friendsOf(userIds), deadline);
  const rounds: Telling[][] = [];
  let room = 0;
  for (const { claim, news } of loud) {
    const friends = friendsOf.get(claim.userId) ?? [];
    const round = rounds.at(-1);
    if (round === undefined || friends.length > room) {
      rounds.push([{ claim, status: news, friends }]);
      room = FRIENDS_PER_ROUND - friends.length;
    } else {
      round.push({ claim, status: news, friends });
      room -= friends.length;
    }
  }
  return rounds;
}

async function publishRound(
  telling: FriendTelling,
  round: readonly Telling[],
  deadline: number,
  unheard: Set<Claim>,
): Promise<void> {
  const { bus, presenceStore, metrics } = telling;
  const claims = round.map(({ claim }) => claim);
  const friends = new Set(round.flatMap((news) => news.friends));
  const located = await beforeDeadline(locateAll(presenceStore, [...friends]), deadline);
  const messages = statusMessages(round, located);
  if (messages.length > 0) {
    if (performance.now() > deadline) {
      throw unavailable('Announcing in time');
    }
    remove(unheard, claims);
    for (const { subject, changes } of messages) {
      bus.publish(subject, { changes });
    }
    metrics.statusMessages.inc(messages.length);
    if (!(await bus.flush())) {
      throw unavailable('The event bus');
    }
  }
  await presenceStore.commit(claims);
  remove(unheard, claims);
}

async function locateAll(
  presenceStore: Pick<PresenceStore, 'locate'>,
  userIds: readonly UserId[],
): Promise<Map<GatewayId, UserId[]> | null> {
  const all = new Map<GatewayId, UserId[]>();
  for (let from = 0; from < userIds.length; from += USERS_PER_LOOK) {
    const located = await presenceStore.locate(userIds.slice(from, from + USERS_PER_LOOK));
    if (located === null) {
      return null;
    }
    for (const [gatewayId, there] of located) {
      const list = all.get(gatewayId) ?? [];
      all.set(gatewayId, list);
      list.push(...there);
    }
  }
  return all;
}

function beforeDeadline<Result>(work: Promise<Result>, deadline: number): Promise<Result> {
  return resultWithin('Announcing in time', work, deadline - performance.now());
}

function remove(set: Set<Claim>, claims: readonly Claim[]): void {
  for (const claim of claims) {
    set.delete(claim);
  }
}
