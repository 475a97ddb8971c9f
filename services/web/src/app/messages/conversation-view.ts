import type { ChatClient, ChatConversation, Message, MessageWindow } from '@bambochat/client';
import { runSoon } from '../state/run-soon.ts';
import { Store } from '../state/store.ts';
import type { FailedMessages } from './failed-messages.ts';
import { groupMessages, type OutgoingMessage, type Row } from './group-messages.ts';
import type { KeptMessages } from './kept-messages.ts';

export interface ViewState {
  /**
   * - `opening`: nothing can be said yet
   * - `ready`: the rows are what the user opened the conversation for
   * - `unavailable`: there is no connection, and no messages are here
   */
  readonly status: 'opening' | 'ready' | 'unavailable';
  readonly rows: readonly Row[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** The last page that was asked for did not come. */
  readonly hasFailed: boolean;
  readonly unread: number;
  /** The message before the new ones; null when nothing was new. */
  readonly dividerSeq: number | null;
  /** How far everyone else has read. */
  readonly readSeqs: readonly number[];
  readonly typing: readonly string[];
}

const PAGE = 60;
/** With more unread messages the window shows where they begin instead of where they end. */
const UNREAD_SHOWN_MAX = 200;

/** One conversation while it is on the screen. */
export class ConversationView {
  readonly store = new Store<ViewState>({
    status: 'opening',
    rows: [],
    hasOlder: true,
    hasNewer: false,
    hasFailed: false,
    unread: 0,
    dividerSeq: null,
    readSeqs: [],
    typing: [],
  });
  readonly conversation: ChatConversation;
  readonly #client: ChatClient;
  readonly #failed: FailedMessages;
  readonly #kept: KeptMessages;
  readonly #userId: string;
  readonly #window: MessageWindow;
  readonly #stops: (() => void)[];
  readonly #updateSoon = runSoon(() => this.#update());
  #status: ViewState['status'] = 'opening';
  #isOpening = false;
  #dividerSeq: number | null = null;
  #hasFailed = false;
  #isAttending = true;

  constructor(options: {
    client: ChatClient;
    failed: FailedMessages;
    kept: KeptMessages;
    userId: string;
    conversationId: string;
  }) {
    const { client, conversationId } = options;
    this.#client = client;
    this.#failed = options.failed;
    this.#kept = options.kept;
    this.#userId = options.userId;
    this.conversation = client.conversation(conversationId);
    this.#window = this.conversation.openWindow();
    this.#stops = [
      client.on('conversation', (changed) => {
        if (changed.conversationId === conversationId) {
          void this.#open();
          this.#updateSoon();
        }
      }),
      client.on('state', ({ name }) => {
        if (name === 'live') {
          this.#hasFailed = false;
          this.#updateSoon();
        }
        void this.#open();
      }),
      options.failed.store.subscribe(this.#updateSoon),
    ];
    void this.#open();
    this.#update();
  }

  /** Whether the user is looking at the newest messages: otherwise what comes is new to them. */
  attend(isAttending: boolean): void {
    this.#isAttending = isAttending;
  }

  send(content: string): void {
    // Who writes has seen what is there, and goes to the end of it.
    this.#dividerSeq = null;
    this.#isAttending = true;
    this.conversation.send(content);
    this.showNewest();
  }

  showNewest(): void {
    this.#window.showNewest();
    if (this.#status === 'ready' && this.#window.messages.length < PAGE && this.#window.hasOlder) {
      void this.loadOlder();
    }
    this.#updateSoon();
  }

  /** Up to this message, or the newest, everything is read. */
  markRead(message: Message): void {
    if (message.seq > (this.conversation.readSeq ?? 0)) {
      // What the server does not take now it is told later, by the SDK.
      this.conversation.markRead(message._id).catch(() => {});
    }
  }

  async loadOlder(): Promise<void> {
    await this.#load(() => this.#window.loadOlder(PAGE));
  }

  async loadNewer(): Promise<void> {
    await this.#load(() => this.#window.loadNewer(PAGE));
  }

  /** Remembers the newest messages for the next visit, which may be without a connection. */
  keep(): void {
    if (this.#status === 'ready' && !this.#window.hasNewer) {
      this.#kept.write(this.conversation.id, this.#window.messages);
    }
  }

  close(): void {
    this.keep();
    for (const stop of this.#stops) {
      stop();
    }
    this.conversation.stopTyping();
    this.#window.close();
  }

  async #load(load: () => Promise<number>): Promise<void> {
    try {
      await load();
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    }
    this.#updateSoon();
  }

  /** The first page: where the new messages begin, or the newest ones. */
  async #open(): Promise<void> {
    if (this.#status === 'ready' || this.#isOpening) {
      return;
    }
    const { readSeq, unread, lastSeq } = this.conversation;
    if (readSeq === null) {
      const { name } = this.#client.state;
      if (name === 'offline' || name === 'refused') {
        this.#enter('unavailable');
      }
      return;
    }
    this.#isOpening = true;
    try {
      this.#dividerSeq = unread > 0 && readSeq < lastSeq ? readSeq : null;
      if (unread > UNREAD_SHOWN_MAX) {
        await this.#window.showAround(readSeq + 1);
      } else if (this.#window.messages.length < PAGE && this.#window.hasOlder) {
        await this.#window.loadOlder(PAGE);
      }
      this.#enter('ready');
    } catch {
      this.#enter(this.#window.messages.length > 0 ? 'ready' : 'unavailable');
    } finally {
      this.#isOpening = false;
    }
  }

  #enter(status: ViewState['status']): void {
    this.#status = status;
    this.#update();
  }

  #update(): void {
    const { conversation } = this;
    const { readSeq, unread, readMarks, typing } = conversation;
    const isNews = !this.#isAttending && readSeq !== null && unread > 0;
    if (isNews && (this.#dividerSeq === null || this.#dividerSeq < readSeq)) {
      this.#dividerSeq = readSeq;
    }
    const others = [...readMarks].filter(([userId]) => userId !== this.#userId);
    this.store.set({
      status: this.#status,
      rows: groupMessages({
        messages: this.#status === 'opening' ? [] : this.#messages(),
        outgoing: this.#window.hasNewer ? [] : this.#outgoing(),
        userId: this.#userId,
        dividerSeq: this.#dividerSeq,
      }),
      hasOlder: this.#window.hasOlder,
      hasNewer: this.#window.hasNewer,
      hasFailed: this.#hasFailed,
      unread,
      dividerSeq: this.#dividerSeq,
      readSeqs: others.map(([, { seq }]) => seq),
      typing,
    });
  }

  #messages(): readonly Message[] {
    const { messages } = this.#window;
    const isEmpty = this.#status === 'unavailable' && messages.length === 0;
    return isEmpty ? this.#kept.read(this.conversation.id) : messages;
  }

  #outgoing(): OutgoingMessage[] {
    const { id, pending } = this.conversation;
    return [
      ...this.#failed.of(id).map(({ clientMessageId, content, createdAt, problem }) => ({
        clientMessageId,
        content,
        createdAt,
        state: 'failed' as const,
        problem,
      })),
      ...pending.map(({ clientMessageId, content, createdAt }) => ({
        clientMessageId,
        content,
        createdAt,
        state: 'pending' as const,
        problem: null,
      })),
    ].toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  }
}
