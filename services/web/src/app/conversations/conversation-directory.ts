import type { ChatClient, Conversation } from '@bambochat/client';
import type { People } from '../chat/people.ts';
import type { FailedMessages } from '../messages/failed-messages.ts';
import type { UserStorage } from '../session/user-storage.ts';
import { runSoon } from '../state/run-soon.ts';
import { Store } from '../state/store.ts';
import { type ConversationSummary, inListOrder, sameSummary, summarise } from './summary.ts';

export interface ConversationTable {
  /** False until the list was read once, or was kept from an earlier visit. */
  readonly isLoaded: boolean;
  readonly conversations: ReadonlyMap<string, Conversation>;
  readonly summaries: ReadonlyMap<string, ConversationSummary>;
  /** In the order of the list. */
  readonly order: readonly string[];
  readonly unread: number;
  readonly mentions: number;
}

/** Of the list, in what is shown after a reload without a connection. */
const KEPT_MAX = 100;
/** Milliseconds between two readings of the list, however many reasons there are. */
const SPACING = 500;
const RETRY = 5000;

/** The user's conversations: what the directory says of them, and what is live. */
export class ConversationDirectory {
  readonly store: Store<ConversationTable>;
  readonly #client: ChatClient;
  readonly #people: People;
  readonly #failed: FailedMessages;
  readonly #userId: string;
  readonly #storage: UserStorage;
  readonly #dirty = new Set<string>();
  readonly #refreshSoon = runSoon(() => this.#refresh());
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  #again = false;

  constructor(options: {
    client: ChatClient;
    people: People;
    failed: FailedMessages;
    storage: UserStorage;
    userId: string;
  }) {
    this.#client = options.client;
    this.#people = options.people;
    this.#failed = options.failed;
    this.#userId = options.userId;
    this.#storage = options.storage;
    const kept = options.storage.read<Conversation[]>('conversations');
    this.store = new Store<ConversationTable>({
      isLoaded: kept !== null,
      conversations: new Map(),
      summaries: new Map(),
      order: [],
      unread: 0,
      mentions: 0,
    });
    this.#take(kept ?? []);
    const { client } = options;
    client.on('conversation', ({ conversationId }) => this.#touch(conversationId));
    client.on('joined', () => this.load());
    client.on('left', ({ conversationId }) => this.#drop(conversationId));
    client.on('member', () => this.load());
    client.on('message', ({ conversationId }) => {
      if (!this.store.get().conversations.has(conversationId)) {
        this.load();
      }
    });
    let failed = this.#failed.store.get();
    this.#failed.store.subscribe(() => {
      const now = this.#failed.store.get();
      for (const { conversationId } of [...failed, ...now]) {
        this.#touch(conversationId);
      }
      failed = now;
    });
  }

  /** Reads the list from the directory, soon. */
  load(): void {
    if (this.#isLoading) {
      this.#again = true;
    } else {
      this.#isLoading = true;
      this.#schedule(0);
    }
  }

  /** A conversation that has just been created. */
  add(conversation: Conversation): void {
    const others = [...this.store.get().conversations.values()];
    this.#take([conversation, ...others.filter(({ _id }) => _id !== conversation._id)]);
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), delay);
  }

  async #read(): Promise<void> {
    this.#again = false;
    try {
      const list = await this.#client.rest.conversations();
      this.#take(list);
      this.#storage.write('conversations', list.slice(0, KEPT_MAX));
      this.#isLoading = false;
      if (this.#again) {
        this.#isLoading = true;
        this.#schedule(SPACING);
      }
    } catch {
      // Without a connection the next `live` asks again; with one, this does.
      this.#isLoading = false;
      if (this.#client.state.name === 'live' || this.#client.state.name === 'catching-up') {
        this.#isLoading = true;
        this.#schedule(RETRY);
      }
    }
  }

  #take(list: readonly Conversation[]): void {
    this.#people.learn(list.flatMap(({ participants }) => participants));
    const conversations = new Map(list.map((conversation) => [conversation._id, conversation]));
    for (const id of conversations.keys()) {
      this.#dirty.add(id);
    }
    this.store.update((table) => ({ ...table, conversations, isLoaded: true }));
    this.#refresh();
  }

  #drop(conversationId: string): void {
    const conversations = new Map(this.store.get().conversations);
    if (conversations.delete(conversationId)) {
      this.store.update((table) => ({ ...table, conversations }));
      this.#refreshSoon();
    }
    this.load();
  }

  #touch(conversationId: string): void {
    this.#dirty.add(conversationId);
    this.#refreshSoon();
  }

  /** Makes anew what has changed; everything else keeps its identity, and is not rendered again. */
  #refresh(): void {
    const table = this.store.get();
    const live = new Map(this.#client.conversations.map((one) => [one.id, one]));
    const summaries = new Map<string, ConversationSummary>();
    for (const [id, conversation] of table.conversations) {
      const before = table.summaries.get(id);
      if (before !== undefined && !this.#dirty.has(id)) {
        summaries.set(id, before);
        continue;
      }
      const now = summarise(
        conversation,
        live.get(id) ?? null,
        this.#userId,
        this.#failed.of(id).at(-1)?.createdAt ?? null,
      );
      summaries.set(id, before !== undefined && sameSummary(before, now) ? before : now);
    }
    this.#dirty.clear();
    const all = [...summaries.values()];
    const order = all.toSorted(inListOrder).map(({ id }) => id);
    const isSameOrder =
      order.length === table.order.length && order.every((id, index) => id === table.order[index]);
    const isSame = isSameOrder && all.every((one) => table.summaries.get(one.id) === one);
    if (!isSame || summaries.size !== table.summaries.size) {
      this.store.set({
        ...table,
        summaries,
        order: isSameOrder ? table.order : order,
        unread: all.reduce((sum, { unread }) => sum + unread, 0),
        mentions: all.reduce((sum, one) => sum + one.mentions, 0),
      });
    }
  }
}
