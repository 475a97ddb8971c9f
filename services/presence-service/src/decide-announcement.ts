import type { Claim, UserStatus } from '@bambochat/stores';

export interface Decision {
  claim: Claim;
  /** To be kept in any case: it also refuses an older one that is still on its way. */
  status: UserStatus;
  /** Friends know it already. */
  silent: boolean;
  /** What friends are told else. */
  news: UserStatus;
}

/**
 * What a transition means for friends.
 *
 * @param kept what the status store has of the user, read after the claim and while the claim is
 *   valid: nobody else can have recorded a later transition.
 */
export function decideAnnouncement(claim: Claim, kept: UserStatus | undefined): Decision {
  const seenAt = new Date(claim.seenAt).toISOString();
  const status: UserStatus = {
    userId: claim.userId,
    online: claim.online,
    lastSeenAt: claim.online ? (kept?.lastSeenAt ?? seenAt) : later(seenAt, kept?.lastSeenAt),
    changedAt: changedAt(claim, kept),
  };
  return {
    claim,
    status,
    silent: isKnown(claim, kept),
    // Kept before it is told: friends who know anything newer than the change before know this, and
    // drop what has the same time. That the user went and came unheard is no news.
    news: kept?.online === claim.online ? { ...status, changedAt: kept.changedAt } : status,
  };
}

/**
 * Friends know it when they were told so, and when those who have looked at the store since saw the
 * same. An attempt that recorded a status and failed before telling it has shown it to the latter.
 */
function isKnown(claim: Claim, kept: UserStatus | undefined): boolean {
  if ((kept?.online ?? false) !== claim.online) {
    return false;
  }
  if (claim.told === 'unknown') {
    // What is kept is what was told, unless this very transition was recorded by an attempt that
    // may have failed before it told anybody.
    return kept?.changedAt !== claim.changedAt;
  }
  return claim.told === claim.online;
}

/**
 * A presence store that was lost and began anew on a machine whose clock is behind gives times that
 * are older than what is kept. Nobody would believe them.
 */
function changedAt(claim: Claim, kept: UserStatus | undefined): number {
  if (kept === undefined || claim.changedAt > kept.changedAt) {
    return claim.changedAt;
  }
  return kept.online === claim.online ? kept.changedAt : kept.changedAt + 1;
}

/** Both ISO 8601 UTC with milliseconds. */
function later(one: string, other: string | undefined): string {
  return other !== undefined && other > one ? other : one;
}
