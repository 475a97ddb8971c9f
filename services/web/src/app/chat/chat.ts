import {
  type ChatClient,
  type ConnectionState,
  connectSocket,
  indexedDbOutbox,
} from '@bambochat/client';
import { ConversationDirectory } from '../conversations/conversation-directory.ts';
import { FriendList } from '../friends/friend-list.ts';
import { FailedMessages } from '../messages/failed-messages.ts';
import { KeptMessages } from '../messages/kept-messages.ts';
import type { SessionStore } from '../session/session-store.ts';
import { userStorage } from '../session/user-storage.ts';
import { Store } from '../state/store.ts';
import { Notices } from './notices.ts';
import { People } from './people.ts';
import { PresenceBoard } from './presence-board.ts';

/** Everything that a user who is logged in sees, on top of one client of the SDK. */
export class Chat {
  readonly userId: string;
  readonly client: ChatClient;
  readonly connection: Store<ConnectionState>;
  readonly people: People;
  readonly presence: PresenceBoard;
  readonly notices = new Notices();
  readonly failed: FailedMessages;
  readonly kept: KeptMessages;
  readonly directory: ConversationDirectory;
  readonly friends: FriendList;
  readonly #session: SessionStore;

  constructor(session: SessionStore, userId: string) {
    this.userId = userId;
    this.#session = session;
    this.client = connectSocket(session.session.token, { userId, storage: indexedDbOutbox() });
    const storage = userStorage(userId, () => session.isOf(userId));
    this.connection = new Store(this.client.state);
    this.people = new People(userId);
    this.presence = new PresenceBoard(this.client);
    this.failed = new FailedMessages(this.client, storage);
    this.kept = new KeptMessages(storage);
    this.directory = new ConversationDirectory({
      client: this.client,
      people: this.people,
      failed: this.failed,
      storage,
      userId,
    });
    this.friends = new FriendList({
      client: this.client,
      people: this.people,
      presence: this.presence,
      notices: this.notices,
      userId,
    });
    this.client.on('state', (state) => {
      this.connection.set(state);
      if (state.name === 'live') {
        this.#refresh();
      }
    });
  }

  /** Ends the session, and what this page keeps for it. */
  async logOut(): Promise<void> {
    await this.#session.logOut();
  }

  /** Back to the login, as the server will not have the session any more. */
  logInAgain(): void {
    this.#session.expire();
  }

  close(): void {
    this.client.close();
  }

  /** What only REST tells, after every time that events may have been missed. */
  #refresh(): void {
    this.directory.load();
    this.friends.load();
  }
}
