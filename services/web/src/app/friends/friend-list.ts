import { type ChatClient, ChatError, type Friendship, type User } from '@bambochat/client';
import type { Notices } from '../chat/notices.ts';
import type { People } from '../chat/people.ts';
import type { PresenceBoard } from '../chat/presence-board.ts';
import { paths } from '../shell/route.ts';
import { Store } from '../state/store.ts';
import { strings } from '../strings.ts';

export interface FriendTable {
  readonly isLoaded: boolean;
  readonly friends: readonly User[];
  /** Requests to the user. */
  readonly received: readonly Friendship[];
  /** Requests by the user. */
  readonly sent: readonly Friendship[];
  readonly blocked: readonly Friendship[];
}

/** What the user is to somebody else. */
export type Relation = 'none' | 'friend' | 'received' | 'sent' | 'blocked';

export function relationTo(table: FriendTable, userId: string): Relation {
  if (table.friends.some(({ _id }) => _id === userId)) {
    return 'friend';
  }
  if (table.received.some(({ requesterId }) => requesterId === userId)) {
    return 'received';
  }
  if (table.sent.some(({ addresseeId }) => addresseeId === userId)) {
    return 'sent';
  }
  return table.blocked.some(({ addresseeId }) => addresseeId === userId) ? 'blocked' : 'none';
}

/** Friends, requests and blocks. Every action tells when it failed by throwing a ChatError. */
export class FriendList {
  readonly store = new Store<FriendTable>({
    isLoaded: false,
    friends: [],
    received: [],
    sent: [],
    blocked: [],
  });
  readonly #client: ChatClient;
  readonly #people: People;
  readonly #presence: PresenceBoard;
  #reading: Promise<void> | null = null;
  #again = false;

  constructor(options: {
    client: ChatClient;
    people: People;
    presence: PresenceBoard;
    notices: Notices;
    userId: string;
  }) {
    const { client, people, notices } = options;
    this.#client = client;
    this.#people = people;
    this.#presence = options.presence;
    const show = { label: strings.friends.show, href: paths.friends };
    client.on('friendRequest', ({ requester, ...friendship }) => {
      people.learn([requester]);
      this.store.update((table) => ({
        ...table,
        received: [friendship, ...table.received.filter(({ _id }) => _id !== friendship._id)],
      }));
      notices.show(strings.friends.wants(requester.displayName), show);
    });
    client.on('friendRequestUpdate', ({ addresseeId, status }) => {
      if (status === 'accepted') {
        notices.show(strings.friends.accepted(people.nameOf(addresseeId)), show);
      }
      this.load();
    });
  }

  /** Reads everything anew; what fails is read at the next `live`. */
  load(): void {
    if (this.#reading !== null) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#reading = this.#read()
      .catch(() => {})
      .finally(() => {
        this.#reading = null;
        if (this.#again) {
          this.load();
        }
      });
  }

  async request(userId: string): Promise<void> {
    await this.#client.rest.requestFriend(userId);
    this.load();
  }

  async answer(friendship: Friendship, action: 'accept' | 'reject'): Promise<void> {
    await this.#client.rest.answerFriendRequest(friendship._id, action);
    this.store.update((table) => ({
      ...table,
      received: table.received.filter(({ _id }) => _id !== friendship._id),
    }));
    this.load();
  }

  /** Ends a friendship, or takes back a request. What is over already counts as done. */
  async remove(userId: string): Promise<void> {
    try {
      await this.#client.rest.removeFriend(userId);
    } catch (error) {
      if (!(error instanceof ChatError && error.code === 'NOT_FOUND')) {
        throw error;
      }
    } finally {
      this.load();
    }
  }

  async block(userId: string): Promise<void> {
    await this.#client.rest.blockUser(userId);
    this.load();
  }

  async unblock(userId: string): Promise<void> {
    await this.#client.rest.unblockUser(userId);
    this.load();
  }

  async #read(): Promise<void> {
    const { rest } = this.#client;
    const [friends, received, sent, blocked, statuses] = await Promise.all([
      rest.friends(),
      rest.friendRequests('pending'),
      rest.friendRequests('sent'),
      rest.blocks(),
      rest.friendStatuses(),
    ]);
    this.#people.learn(friends);
    this.#presence.learn(statuses);
    this.store.set({ isLoaded: true, friends, received, sent, blocked });
    await this.#people.lookUp(rest, [
      ...received.map(({ requesterId }) => requesterId),
      ...[...sent, ...blocked].map(({ addresseeId }) => addresseeId),
    ]);
  }
}
