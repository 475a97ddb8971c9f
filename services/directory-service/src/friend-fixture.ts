import type { FriendRequestUpdate, Friendship, User, UserId } from '@bambochat/protocol';
import type { UserStatus } from '@bambochat/stores';
import { usersOf } from './conversation-fixture.ts';
import {
  type Answer,
  type DirectoryFixture,
  type Engines,
  startDirectory,
} from './directory-fixture.ts';

/** The one answer for a user who does not exist and for one who blocks. */
export const unknownUser = { message: 'User not found', code: 'NOT_FOUND', status: 404 };
export const noRequest = { message: 'Friend request not found', code: 'NOT_FOUND', status: 404 };
export const noFriend = { message: 'Friend not found', code: 'NOT_FOUND', status: 404 };

/** What users do about friends, through one of the replicas. */
export function friendActions(fixture: DirectoryFixture) {
  const { request } = fixture;
  return {
    ask: (as: UserId, addresseeId: unknown) =>
      request('POST', '/api/friends/requests', { as, payload: { addresseeId } }),
    answer: (as: UserId, id: string, action: unknown) =>
      request('PUT', `/api/friends/requests/${id}`, { as, payload: { action } }),
    end: (as: UserId, userId: UserId) => request('DELETE', `/api/friends/${userId}`, { as }),
    block: (as: UserId, userId: string) => request('PUT', `/api/friends/blocks/${userId}`, { as }),
    unblock: (as: UserId, userId: UserId) =>
      request('DELETE', `/api/friends/blocks/${userId}`, { as }),
  };
}

/** Answers of the lists, and what everybody has heard. */
export async function startFriends(
  engines: Engines,
  overrides: Parameters<typeof startDirectory>[1] = {},
) {
  const fixture = await startDirectory(engines, overrides);
  const users = await usersOf(fixture, 'ann', 'ben', 'cem', 'dee');
  const [ann, ben, cem, dee] = users as [UserId, UserId, UserId, UserId];
  const actions = friendActions(fixture);
  const list = async <Item>(as: UserId, path: string): Promise<Item[]> => {
    const { status, body } = await fixture.request('GET', `/api/friends${path}`, { as });
    if (status !== 200) {
      throw new Error(`GET ${path}: ${body.message}`);
    }
    return body as unknown as Item[];
  };
  const friendshipOf = ({ body }: Answer) => body.friendship as Friendship | FriendRequestUpdate;
  return {
    fixture,
    ann,
    ben,
    cem,
    dee,
    ...actions,
    list,
    friends: async (as: UserId) => (await list<User>(as, '')).map(({ _id }) => _id),
    received: (as: UserId, query = '') => list<Friendship>(as, `/requests/pending${query}`),
    sent: (as: UserId, query = '') => list<Friendship>(as, `/requests/sent${query}`),
    blocks: (as: UserId, query = '') => list<Friendship>(as, `/blocks${query}`),
    friendshipOf,
    /** Asks and accepts. */
    async befriend(one: UserId, other: UserId): Promise<void> {
      const { _id } = friendshipOf(await actions.ask(one, other));
      const { status } = await actions.answer(other, _id, 'accept');
      if (status !== 200) {
        throw new Error(`accepting answered ${status}`);
      }
    },
    /** Everything that was told to these users so far, without what was told before the last call. */
    async heardBy(...to: UserId[]) {
      await fixture.allHeard();
      const friendEvents = fixture.friendEvents.splice(0).filter((each) => to.includes(each.to));
      const statusChanges = fixture.statusChanges
        .splice(0)
        .filter((each) => each.to.some((userId) => to.includes(userId)));
      return { friendEvents, statusChanges };
    },
    /** What the presence-service would have recorded. @returns the status */
    async putStatus(userId: UserId, status: Partial<UserStatus> = {}): Promise<UserStatus> {
      const whole = {
        userId,
        online: true,
        lastSeenAt: '2024-05-06T07:08:09.123Z',
        changedAt: Date.now(),
        ...status,
      };
      await engines.statusStore.record([whole]);
      return whole;
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

export const nothing = { friendEvents: [], statusChanges: [] };
