import type { Membership } from './directory-store.ts';

/**
 * The name of the direct conversation of two users: the same for both sides, and different for
 * every other pair.
 */
export function directKey(participants: readonly [Membership, Membership]): string {
  return JSON.stringify(participants.map(({ userId }) => userId).sort());
}
