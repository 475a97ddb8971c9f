import type { EventBus } from '@bambochat/messaging';
import {
  type FriendEvent,
  type FriendRequestUpdate,
  type Friendship,
  type StatusChange,
  type StatusChanges,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { FriendStore, Profile, StatusStore, UserStatus } from '@bambochat/stores';
import { flushBounded } from './bounded-flush.ts';

const CORRECTIONS_MAX = 3;
/**
 * Milliseconds in which the presence-service may still be telling a change that is stored; as long
 * as gateways remember what they have told.
 */
const IN_THE_AIR = 60_000;

/**
 * Tells gateways what the store has already. Each resolves when the events have left, or after a
 * bounded wait, and never rejects: the change is done, whoever hears of it.
 */
export interface FriendTeller {
  /** The addressee hears who asks. */
  asked(request: Friendship, requester: Profile): Promise<void>;
  /** The requester hears the answer. If it is yes, each sees whether the other is online. */
  answered(update: FriendRequestUpdate): Promise<void>;
  /** Neither sees the other online any more. */
  parted(friendship: Pick<Friendship, 'requesterId' | 'addresseeId'>): Promise<void>;
}

interface TellerDeps {
  bus: EventBus;
  friendStore: Pick<FriendStore, 'friendsOf'>;
  statusStore: Pick<StatusStore, 'statusesOf'>;
  logger: Logger;
}

export function createFriendTeller(deps: TellerDeps): FriendTeller {
  const { bus } = deps;
  const publish = (event: FriendEvent) => bus.publish(subjects.friendEvents, event);
  return {
    async asked(request, { _id, displayName, avatar }) {
      const payload = { ...request, requester: { _id, displayName, avatar } };
      publish({ to: request.addresseeId, event: 'friend_request', payload });
      await flushBounded(bus);
    },
    async answered(update) {
      publish({ to: update.requesterId, event: 'friend_request_update', payload: update });
      if (update.status === 'accepted') {
        await showPresence(deps, [update.requesterId, update.addresseeId], true);
      } else {
        await flushBounded(bus);
      }
    },
    parted: ({ requesterId, addresseeId }) => showPresence(deps, [requesterId, addresseeId], false),
  };
}

type Pair = readonly [UserId, UserId];

/**
 * Two replicas may make and end one friendship, and what they say may cross. So each looks at the
 * store after it has spoken and corrects itself: who changes the store later than that look also
 * speaks later.
 */
async function showPresence(deps: TellerDeps, pair: Pair, begun: boolean): Promise<void> {
  const { bus, friendStore, logger } = deps;
  const [one, other] = pair;
  try {
    let friends = begun;
    for (let round = 0; round <= CORRECTIONS_MAX; round += 1) {
      const spoken = await publishStatuses(deps, pair, friends);
      await flushBounded(bus);
      if (!spoken) {
        return;
      }
      const current = (await friendStore.friendsOf([one])).get(one)?.includes(other) === true;
      if (current === friends) {
        return;
      }
      friends = current;
    }
  } catch (error) {
    logger.warn({ err: error }, 'presence was not told to friends, or not verified');
  }
}

/**
 * The statuses are read after the friendship has changed: an announcement of the presence-service
 * at this moment, which stores a status and then asks for the friends, either finds the pair as it
 * is now or has stored its status before this look.
 *
 * @returns false when there was nothing to tell
 */
async function publishStatuses(
  { bus, statusStore }: TellerDeps,
  pair: Pair,
  friends: boolean,
): Promise<boolean> {
  const [one, other] = pair;
  const statuses = await statusStore.statusesOf(pair);
  const changes: StatusChange[] = [];
  for (const [userId, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const status = statuses.get(userId);
    const change = status && (friends ? revealed(status, to) : hidden(status, to));
    if (change !== undefined) {
      changes.push(change);
    }
  }
  if (changes.length > 0) {
    bus.publish(subjects.statusChanges, { changes } satisfies StatusChanges);
  }
  return changes.length > 0;
}

function revealed(status: UserStatus, to: UserId): StatusChange | undefined {
  return status.online ? { ...status, kind: 'reveal', to: [to] } : undefined;
}

/**
 * Who has just gone counts too: the presence-service may have asked for the friends when they were
 * none any more, and then has not told this one.
 */
function hidden(status: UserStatus, to: UserId): StatusChange | undefined {
  const now = Date.now();
  if (status.online) {
    const lastSeenAt = new Date(now).toISOString();
    return { ...status, kind: 'hide', online: false, lastSeenAt, to: [to] };
  }
  const stillTold = now - status.changedAt < IN_THE_AIR;
  return stillTold ? { ...status, kind: 'hide', to: [to] } : undefined;
}
