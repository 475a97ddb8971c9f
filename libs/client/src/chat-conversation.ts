import { uuidv7 } from 'uuidv7';
import { asChatError, unavailable } from './chat-error.ts';
import type { ChatEvents } from './chat-events.ts';
import { ConversationLog } from './conversation-log.ts';
import { MessageWindow } from './message-window.ts';
import type { Outbox } from './outbox.ts';
import { PendingMessage } from './pending-message.ts';
import { createReadMarker, type ReadPosition } from './read-marker.ts';
import type { RestClient } from './rest-client.ts';
import type {
  ConversationNews,
  Message,
  Reaction,
  ReactionType,
  ReactionUpdate,
  ReadMark,
} from './shapes.ts';
import type { TypedEvents } from './typed-events.ts';
import { Typing } from './typing.ts';
import type { Wire } from './wire.ts';

/** Windows of one conversation that are open at the same time. */
const WINDOWS_MAX = 20;
const WINDOW_SIZE = 300;
const REQUEST_TIMEOUT = 20_000;
const PAGE_MAX = 200;
/** As many of the newest messages as the server gives reactions of, when it cannot name all changes. */
const RESET_KEEPS = 200;

/** What a conversation needs of its client. */
export interface ConversationContext {
  userId(): string | null;
  wire(): Wire | null;
  rest: RestClient;
  /** Null until the user is known. */
  outbox(): Outbox | null;
  addToOutbox(entry: PendingMessage): void;
  events: TypedEvents<ChatEvents>;
  keep: number;
}

/** One conversation as a user interface shows it. Read it again at every `conversation` event. */
export class ChatConversation {
  readonly id: string;
  /** @internal */
  readonly log: ConversationLog;
  readonly #context: ConversationContext;
  readonly #typing: Typing;
  readonly #marks = new Map<string, ReadMark>();
  readonly #readMarker: ReturnType<typeof createReadMarker>;
  readonly #windows = new Set<MessageWindow>();
  #readSeq: number | null = null;

  /** @internal */
  constructor(id: string, context: ConversationContext) {
    this.id = id;
    this.#context = context;
    this.log = new ConversationLog(id, context.keep);
    this.#typing = new Typing({
      say: (isTyping) => context.wire()?.emitVolatile('typing', { conversationId: id, isTyping }),
      onChange: () => {
        context.events.emit('typing', { conversationId: id, userIds: this.typing });
        this.#changed();
      },
    });
    this.#readMarker = createReadMarker({
      isConnected: () => context.wire() !== null,
      send: (position) => this.#sendReadMark(position),
    });
  }

  /**
   * In rising `seq`, without a gap or a duplicate, up to the newest. The same array until something
   * changes.
   */
  get messages(): readonly Message[] {
    return this.log.messages;
  }

  /** One's own messages that are not in `messages` yet, in order. */
  get pending(): readonly PendingMessage[] {
    return this.#context.outbox()?.pending(this.id) ?? [];
  }

  /** Whether there are messages before the first of `messages`. */
  get hasOlder(): boolean {
    return this.log.hasOlder;
  }

  get lastSeq(): number {
    return this.log.head;
  }

  /** `seq` up to which the user has read; null until the server has told. */
  get readSeq(): number | null {
    return this.#readSeq;
  }

  get unread(): number {
    return this.#readSeq === null ? 0 : Math.max(0, this.log.head - this.#readSeq);
  }

  /** Who has read how far, by user. */
  get readMarks(): ReadonlyMap<string, ReadMark> {
    return this.#marks;
  }

  /** Who is typing. */
  get typing(): string[] {
    return this.#typing.userIds;
  }

  /**
   * Sends, now or as soon as there is a connection again. Never throws: the entry tells what becomes
   * of it.
   *
   * @param content 1–4000 characters after trimming
   */
  send(content: string, options: { clientMessageId?: string } = {}): PendingMessage {
    const entry = new PendingMessage({
      clientMessageId: options.clientMessageId ?? uuidv7(),
      conversationId: this.id,
      content,
      createdAt: new Date().toISOString(),
    });
    this.#typing.sent();
    this.#context.addToOutbox(entry);
    return entry;
  }

  /**
   * Puts older messages in front, and the newest ones when there are none yet. Gives how many: 0 at
   * the beginning of the conversation, and when 10,000 messages are in memory.
   *
   * @throws ChatError
   */
  async loadOlder(limit = 50): Promise<number> {
    const { log } = this;
    if (log.positioned && !log.hasOlder) {
      return 0;
    }
    const count = await log.whileLoading(async () => {
      const page = await this.#context.rest.messages({
        conversationId: this.id,
        limit: Math.min(limit, PAGE_MAX),
        ...(log.positioned ? { before: log.first } : {}),
      });
      if (!log.positioned) {
        this.appended(log.position(page.messages.at(-1)?.seq ?? page.lastSeq));
      }
      return log.prepend(page.messages);
    });
    if (count > 0) {
      this.#changed();
    }
    return count;
  }

  /**
   * A bounded part of the conversation for a view that scrolls, at the newest messages to begin
   * with. A change of it is a `conversation` event. Close it when the view goes.
   *
   * @param options.size messages at most. Default 300
   * @throws Error when 20 are open: somebody does not close them
   */
  openWindow(options: { size?: number } = {}): MessageWindow {
    if (this.#windows.size >= WINDOWS_MAX) {
      throw new Error(`${WINDOWS_MAX} windows of one conversation are open`);
    }
    const window = new MessageWindow(
      {
        log: this.log,
        fetch: (query) => this.#context.rest.messages(query),
        loadOlder: (limit) => this.loadOlder(limit),
        onChange: () => this.#changed(),
        onClose: (closed) => this.#windows.delete(closed),
      },
      options.size ?? WINDOW_SIZE,
    );
    this.#windows.add(window);
    return window;
  }

  /** Forgets the older messages that `loadOlder` brought. */
  trim(): void {
    this.log.trim();
    this.#changed();
  }

  /**
   * Everything up to this message, or up to the newest, is read: `unread` falls at once, and the
   * server is told now or as soon as there is a connection. Gives what is unread once it knows.
   *
   * @throws ChatError what the server refuses, or `CLOSED`; nobody has to listen
   */
  markRead(messageId?: string): Promise<number> {
    const message = messageId === undefined ? this.messages.at(-1) : this.#find(messageId);
    const id = message?._id ?? messageId;
    if (id === undefined) {
      return Promise.resolve(this.unread);
    }
    if (message !== undefined && message.seq > (this.#readSeq ?? 0)) {
      this.#readSeq = message.seq;
      this.#changed();
    }
    return this.#readMarker.mark({ messageId: id, seq: message?.seq ?? null });
  }

  /**
   * The same type again takes it back, another one replaces it. Gives all reactions of the message.
   *
   * @throws ChatError `UNAVAILABLE` when there is no connection, or when it broke and nobody knows
   *   whether the server has heard: look at the reactions after catching up
   */
  async react(messageId: string, reactionType: ReactionType): Promise<Reaction[]> {
    const answer = await this.#request('send_reaction', { messageId, reactionType });
    const reactions = answer.reactions as Reaction[];
    this.showReactions({ conversationId: this.id, messageId, reactions });
    return reactions;
  }

  /** A key was pressed: the others are told, and told again that it is over when nothing follows. */
  keyPressed(): void {
    this.#typing.press();
  }

  /** The text was deleted, or the field was left. */
  stopTyping(): void {
    this.#typing.cease();
  }

  /** @internal Messages that came into the list. */
  appended(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#typing.hear(message.senderId, false);
      if (message.senderId === this.#context.userId()) {
        this.#context.outbox()?.settle(message);
        // Who has written the newest message has read the others, also in the server's count.
        this.#readSeq = Math.max(this.#readSeq ?? 0, message.seq);
      }
      this.#context.events.emit('message', message);
    }
    if (messages.length > 0) {
      this.#followed(messages);
      this.#changed();
    }
  }

  /** @internal */
  heardTyping(userId: string, isTyping: boolean): void {
    this.#typing.hear(userId, isTyping);
  }

  /** @internal */
  showReactions(update: ReactionUpdate): void {
    if (this.log.react(update.messageId, update.reactions)) {
      this.#changed();
    }
    for (const window of this.#windows) {
      window.react(update.messageId, update.reactions);
    }
    this.#context.events.emit('reaction', update);
  }

  /** @internal Marks only go forward. */
  mark(mark: ReadMark): void {
    if (mark.seq <= (this.#marks.get(mark.userId)?.seq ?? 0)) {
      return;
    }
    this.#marks.set(mark.userId, mark);
    if (mark.userId === this.#context.userId()) {
      this.#readSeq = Math.max(this.#readSeq ?? 0, mark.seq);
    }
    this.#context.events.emit('read', { conversationId: this.id, ...mark });
    this.#changed();
  }

  /** @internal What `GET /sync` tells. */
  learn(news: ConversationNews): void {
    const { log } = this;
    const readSeq = news.lastSeq - news.unread;
    if (news.reset) {
      log.trim(RESET_KEEPS);
      for (const window of this.#windows) {
        window.reload().catch((error: unknown) => {
          this.#context.events.emit('error', asChatError(error));
        });
      }
    }
    const positioned = log.position((news.messages[0]?.seq ?? readSeq + 1) - 1);
    this.#readSeq = Math.max(this.#readSeq ?? 0, readSeq);
    log.noteHead(news.lastSeq);
    this.appended([...positioned, ...log.receive(news.messages)]);
    // The list may have begun without a message.
    this.#followed([]);
    for (const { messageId, reactions } of news.reactions) {
      this.showReactions({ conversationId: this.id, messageId, reactions });
    }
    for (const mark of news.readMarks) {
      this.mark(mark);
    }
    for (const change of news.members) {
      if (!change.member) {
        this.#marks.delete(change.userId);
        this.#typing.hear(change.userId, false);
      }
      this.#context.events.emit('member', { conversationId: this.id, ...change });
    }
    this.#changed();
  }

  /** @internal There is a connection. */
  connected(): void {
    this.#readMarker.resume();
  }

  /** @internal */
  close(): void {
    this.#typing.close();
    this.#readMarker.close();
  }

  #find(messageId: string): Message | undefined {
    const shown = [...this.#windows].flatMap(({ messages }) => messages);
    return this.log.find(messageId) ?? shown.find(({ _id }) => _id === messageId);
  }

  #followed(appended: readonly Message[]): void {
    for (const window of this.#windows) {
      window.follow(appended);
    }
  }

  #changed(): void {
    this.#context.events.emit('conversation', { conversationId: this.id });
  }

  async #sendReadMark({ messageId, seq }: ReadPosition): Promise<number> {
    const { unread } = await this.#request('mark_read', { conversationId: this.id, messageId });
    const userId = this.#context.userId();
    if (seq !== null && userId !== null) {
      this.mark({ userId, messageId, seq });
    }
    return typeof unread === 'number' ? unread : this.unread;
  }

  async #request(event: string, payload: object): Promise<Record<string, unknown>> {
    const wire = this.#context.wire();
    if (wire === null) {
      throw unavailable('There is no connection');
    }
    return wire.request(event, payload, REQUEST_TIMEOUT);
  }
}
