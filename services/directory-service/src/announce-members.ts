import type { EventBus } from '@bambochat/messaging';
import {
  type ConversationId,
  type MembersChanged,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { DirectoryStore } from '@bambochat/stores';
import { flushBounded } from './bounded-flush.ts';

/** Users in one event: keeps it far below NATS' payload bound, and in one `areMembers`. */
const USERS_PER_EVENT = 500;
const CORRECTIONS_MAX = 3;

export interface MembersChange {
  conversationId: ConversationId;
  added?: readonly UserId[];
  removed?: readonly UserId[];
}

/**
 * Tells gateways and caches what the store has already. Resolves when the announcement has left, or
 * after a bounded wait; never rejects: the change is done, whoever hears of it.
 */
export type MemberAnnouncer = (change: MembersChange) => Promise<void>;

export function createMemberAnnouncer(deps: {
  bus: EventBus;
  directoryStore: Pick<DirectoryStore, 'areMembers'>;
  logger: Logger;
}): MemberAnnouncer {
  return async ({ conversationId, added = [], removed = [] }) => {
    const users = [
      ...added.map((userId) => ({ userId, member: true })),
      ...removed.map((userId) => ({ userId, member: false })),
    ];
    for (let from = 0; from < users.length; from += USERS_PER_EVENT) {
      await settle(deps, conversationId, users.slice(from, from + USERS_PER_EVENT));
    }
  };
}

interface Announced {
  userId: UserId;
  member: boolean;
}

/**
 * Two replicas may change one membership back and forth, and their announcements may cross: then
 * the last one heard is not the last one stored. So each looks at the store after it has spoken and
 * corrects itself; who changes the store later than that look also speaks later.
 */
async function settle(
  deps: Parameters<typeof createMemberAnnouncer>[0],
  conversationId: ConversationId,
  users: readonly Announced[],
): Promise<void> {
  const { bus, directoryStore, logger } = deps;
  let wrong = users;
  try {
    for (let round = 0; wrong.length > 0 && round <= CORRECTIONS_MAX; round += 1) {
      const event: MembersChanged = {
        conversationId,
        added: wrong.filter(({ member }) => member).map(({ userId }) => userId),
        removed: wrong.filter(({ member }) => !member).map(({ userId }) => userId),
      };
      bus.publish(subjects.membersChanged, event);
      await flushBounded(bus);
      const spoken = wrong;
      const pairs = spoken.map(({ userId }) => ({ conversationId, userId }));
      const members = await directoryStore.areMembers(pairs);
      wrong = spoken
        .map(({ userId }, index) => ({ userId, member: members[index] === true }))
        .filter(({ member }, index) => member !== spoken[index]?.member);
    }
  } catch (error) {
    logger.warn({ err: error, conversationId }, 'membership announcement was not verified');
  }
}
