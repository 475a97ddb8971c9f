import { createCatchUp } from './catch-up.ts';
import { ChatConversation, type ConversationContext } from './chat-conversation.ts';
import { ChatError, closed, unavailable } from './chat-error.ts';
import type { ChatEvents } from './chat-events.ts';
import { type ConnectionState, createConnection } from './connection.ts';
import { Outbox } from './outbox.ts';
import type { OpenOutboxStorage, OutboxRow } from './outbox-storage.ts';
import { watchPage } from './page-signals.ts';
import type { PendingMessage } from './pending-message.ts';
import { Presence } from './presence.ts';
import { createGapRepair } from './repair-gaps.ts';
import { createRestClient, type Fetch, type RestClient } from './rest-client.ts';
import { listenTo } from './server-events.ts';
import type { Message, SyncAnswer } from './shapes.ts';
import { readClaims } from './token-claims.ts';
import { createTokenSource, type TokenProvider } from './token-source.ts';
import { type Listener, TypedEvents } from './typed-events.ts';
import type { OpenWire } from './wire.ts';

/** Milliseconds until a message is sent again on a connection that lives. */
const CONFIRM_TIMEOUT = 20_000;
/** Messages that wait for the user to be known. */
const EARLY_MAX = 100;

export interface ChatClientParts {
  token: TokenProvider;
  restUrl: string;
  userId: string | undefined;
  openWire: OpenWire;
  fetch: Fetch;
  storage: OpenOutboxStorage;
  keepMessages: number;
}

/** A user's connection to the chat and what is known through it. Made by `connectSocket`. */
export class ChatClient {
  /** The REST contract, in the name of the same user. */
  readonly rest: RestClient;
  readonly #events = new TypedEvents<ChatEvents>();
  readonly #conversations = new Map<string, ChatConversation>();
  readonly #presence = new Presence();
  readonly #connection: ReturnType<typeof createConnection>;
  readonly #catchUp: ReturnType<typeof createCatchUp>;
  readonly #repair: ReturnType<typeof createGapRepair>;
  readonly #context: ConversationContext;
  readonly #storage: OpenOutboxStorage;
  readonly #stopWatching: () => void;
  readonly #early: PendingMessage[] = [];
  #outbox: Outbox | null = null;
  #userId: string | null = null;

  /** @internal */
  constructor(parts: ChatClientParts) {
    this.#storage = parts.storage;
    const tokens = createTokenSource(parts.token, (token) => this.#identify(token));
    this.rest = createRestClient({ url: parts.restUrl, fetch: parts.fetch, tokens });
    const onError = (error: ChatError) => this.#events.emit('error', error);
    this.#repair = createGapRepair({
      fetch: (query) => this.rest.messages(query),
      onAppended: (log, messages) => this.conversation(log.conversationId).appended(messages),
      onGone: (log) => this.#leave(log.conversationId),
      onError,
    });
    this.#catchUp = createCatchUp({
      sync: (query) => this.rest.sync(query),
      apply: (answer) => this.#apply(answer),
      onDone: () => {
        this.#repairAll();
        this.#connection.caughtUp();
      },
      onError: (error) => {
        // What can be repaired without it is.
        this.#repairAll();
        onError(error);
      },
    });
    const hear = listenTo({
      conversation: (conversationId) => this.conversation(conversationId),
      receive: (message) => this.#receive(message),
      left: (conversationId) => this.#leave(conversationId),
      joined: (conversationId) => {
        this.conversation(conversationId);
        this.#events.emit('joined', { conversationId });
        this.#catchUp.look();
      },
      changedWhileLooking: () => this.#catchUp.changed(),
      resync: () => this.#catchUp.look(),
      presence: this.#presence,
      events: this.#events,
    });
    this.#connection = createConnection({
      openWire: parts.openWire,
      tokens,
      onState: (state) => this.#events.emit('state', state),
      onConnected: () => {
        this.#catchUp.start();
        this.#outbox?.setOnline(true);
        for (const conversation of this.#conversations.values()) {
          conversation.connected();
        }
      },
      onDisconnected: () => {
        this.#catchUp.stop();
        this.#repair.stop();
        this.#outbox?.setOnline(false);
      },
      onEvent: hear,
      onError,
    });
    this.#context = {
      userId: () => this.#userId,
      wire: () => this.#connection.wire,
      rest: this.rest,
      outbox: () => this.#outbox,
      addToOutbox: (entry) => this.#addToOutbox(entry),
      events: this.#events,
      keep: parts.keepMessages,
    };
    this.#stopWatching = watchPage({
      onVisible: () => {
        this.#connection.hurry();
        this.#catchUp.look();
      },
      onNetwork: () => this.#connection.hurry(),
    });
    if (parts.userId !== undefined) {
      this.#openOutbox(parts.userId);
    } else if (typeof parts.token === 'string') {
      this.#identify(parts.token);
    }
    this.#connection.open();
  }

  /** Null until the first token is there, unless it was given. */
  get userId(): string | null {
    return this.#userId;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Friends who are online. */
  get online(): ReadonlySet<string> {
    return this.#presence.online;
  }

  /** The conversations heard of: all of the user's once the state has been `live`. */
  get conversations(): ChatConversation[] {
    return [...this.#conversations.values()];
  }

  conversation(conversationId: string): ChatConversation {
    let conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) {
      conversation = new ChatConversation(conversationId, this.#context);
      this.#conversations.set(conversationId, conversation);
    }
    return conversation;
  }

  /** Gives a function that removes the listener again. */
  on<Name extends keyof ChatEvents>(name: Name, listener: Listener<ChatEvents[Name]>): () => void {
    return this.#events.on(name, listener);
  }

  /** Tries at once, with a new token, when it is `offline` or `refused`. */
  reconnect(): void {
    this.#connection.retry();
  }

  /** Ends everything. What is in a lasting outbox is sent by the next client of the same user. */
  close(): void {
    this.#stopWatching();
    this.#catchUp.stop();
    this.#repair.stop();
    this.#connection.close();
    this.#outbox?.close();
    for (const entry of this.#early.splice(0)) {
      entry.refuse(closed());
    }
    for (const conversation of this.#conversations.values()) {
      conversation.close();
    }
  }

  /** @internal Not every browser has the symbol, nor every project its type. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The user a token is for; a token of somebody else would send one user's outbox as another. */
  #identify(token: string): void {
    const userId = readClaims(token)?.userId ?? null;
    if (userId === null || userId === this.#userId) {
      return;
    }
    if (this.#userId !== null) {
      throw new ChatError('AUTH_INVALID', 'The token is of another user', false);
    }
    this.#openOutbox(userId);
  }

  #openOutbox(userId: string): void {
    this.#userId = userId;
    const outbox = new Outbox({
      storage: this.#storage(userId),
      send: (row) => this.#send(row),
      onChange: (entry) => {
        this.#events.emit('outbox', entry);
        this.#events.emit('conversation', { conversationId: entry.conversationId });
      },
      onConfirmed: (message) => this.#receive(message),
      onError: (error) => this.#events.emit('error', error),
    });
    this.#outbox = outbox;
    for (const entry of this.#early.splice(0)) {
      outbox.add(entry);
    }
  }

  #addToOutbox(entry: PendingMessage): void {
    if (this.#outbox !== null) {
      this.#outbox.add(entry);
    } else if (this.#early.length < EARLY_MAX && this.state.name !== 'closed') {
      this.#early.push(entry);
      this.#events.emit('outbox', entry);
    } else {
      entry.refuse(this.state.name === 'closed' ? closed() : unavailable('No user is known yet'));
      this.#events.emit('outbox', entry);
    }
  }

  async #send({ conversationId, content, clientMessageId }: OutboxRow): Promise<Message> {
    const { wire } = this.#connection;
    if (wire === null) {
      throw unavailable('There is no connection');
    }
    const payload = { conversationId, content, clientMessageId };
    const { message } = await wire.request('send_message', payload, CONFIRM_TIMEOUT);
    return message as Message;
  }

  #receive(message: Message): void {
    const conversation = this.conversation(message.conversationId);
    const { log } = conversation;
    if (message.senderId === this.#userId) {
      this.#outbox?.settle(message);
    }
    conversation.appended(log.receive([message]));
    if (!log.positioned) {
      // A conversation that the user has just come into: where it begins for them, `/sync` tells.
      this.#catchUp.look();
    } else if (this.state.name === 'live') {
      // While everything is being fetched, gaps close by themselves; what is left is repaired after.
      this.#repair.watch(log);
    }
  }

  #repairAll(): void {
    for (const { log } of this.#conversations.values()) {
      this.#repair.watch(log);
    }
  }

  #apply(answer: SyncAnswer): void {
    for (const news of answer.conversations) {
      this.conversation(news.conversationId).learn(news);
    }
    for (const conversationId of answer.left) {
      this.#leave(conversationId);
    }
  }

  #leave(conversationId: string): void {
    const conversation = this.#conversations.get(conversationId);
    if (conversation !== undefined) {
      conversation.close();
      this.#conversations.delete(conversationId);
      this.#events.emit('left', { conversationId });
    }
  }
}
