import type { ConversationLog } from './conversation-log.ts';
import type { Message, MessagesPage, Reaction } from './shapes.ts';

/** Of `GET /messages`. */
const PAGE_MAX = 200;

/** What a window needs of its conversation. */
export interface WindowContext {
  log: ConversationLog;
  fetch(query: {
    conversationId: string;
    before?: number;
    after?: number;
    limit: number;
  }): Promise<MessagesPage>;
  /** Puts messages in front of the live list, and begins it when it has not begun. */
  loadOlder(limit: number): Promise<number>;
  onChange(): void;
  onClose(window: MessageWindow): void;
}

/**
 * A part of a conversation of any length, for a view that scrolls: at most `size` messages in rising
 * `seq` without a gap. Pages that come in at one end let go of as many at the other one, so reading
 * back through a hundred thousand messages holds no more of them than the first page did.
 *
 * At the newest message it follows what comes, unless it is full and somebody is reading back in it:
 * then what comes is left out, `hasNewer` says so, and `loadNewer` or `showNewest` bring it.
 */
export class MessageWindow {
  readonly #context: WindowContext;
  readonly #size: number;
  #messages: readonly Message[] = [];
  /** `seq` of the last message here; where the next one joins on. Null: nothing shown yet. */
  #last: number | null = null;
  #isReadingBack = false;
  #isClosed = false;
  /** What was asked for in an earlier round is not wanted any more. */
  #round = 0;
  #olderLoad: Promise<number> | null = null;
  #newerLoad: Promise<number> | null = null;

  /** @internal */
  constructor(context: WindowContext, size: number) {
    this.#context = context;
    this.#size = Math.max(2, size);
    this.showNewest();
  }

  /** In rising `seq`, without a gap. The same array until something changes. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  get hasOlder(): boolean {
    return this.#last === null ? this.#context.log.hasOlder : this.#first > 1;
  }

  /** Whether the conversation goes on behind `messages`. */
  get hasNewer(): boolean {
    return this.#last !== null && this.#last < this.#context.log.last;
  }

  /** The newest messages that are in memory, and from now on what comes. */
  showNewest(): void {
    const { log } = this.#context;
    this.#round += 1;
    this.#isReadingBack = false;
    if (!log.positioned) {
      return;
    }
    // What is shown and joins on stays: the live list may have begun only just before its end.
    const joins = this.#last !== null && this.#last >= log.first - 1 && this.#first < log.first;
    const before = joins ? this.#messages.slice(0, log.first - this.#first) : [];
    this.#show([...before, ...log.messages].slice(-this.#size), log.last);
  }

  /**
   * Shows the part around a message; a `seq` that is not there yet or any more shows the nearest.
   *
   * @throws ChatError
   */
  async showAround(seq: number): Promise<void> {
    const { log } = this.#context;
    this.#round += 1;
    const mine = this.#round;
    const half = Math.min(Math.floor(this.#size / 2), PAGE_MAX);
    const from = Math.max(1, seq - half);
    const until = seq + half;
    let around: readonly Message[];
    if (log.positioned && from >= log.first) {
      around = log.messages.slice(from - log.first, until - log.first);
    } else {
      around = await this.#fetch({ after: from - 1, limit: Math.min(2 * half, PAGE_MAX) });
    }
    const last = around.at(-1)?.seq;
    if (mine === this.#round && last !== undefined) {
      this.#isReadingBack = true;
      this.#show(around, last);
    }
  }

  /**
   * Puts older messages in front. Gives how many: 0 at the beginning of the conversation, or when
   * something else was shown meanwhile. Callers at the same time share one page.
   *
   * @throws ChatError
   */
  loadOlder(limit = 50): Promise<number> {
    this.#olderLoad ??= this.#loadOlder(Math.min(limit, this.#size, PAGE_MAX)).finally(() => {
      this.#olderLoad = null;
    });
    return this.#olderLoad;
  }

  /** Puts newer messages behind, up to the live ones. As `loadOlder`. @throws ChatError */
  loadNewer(limit = 50): Promise<number> {
    this.#newerLoad ??= this.#loadNewer(Math.min(limit, this.#size, PAGE_MAX)).finally(() => {
      this.#newerLoad = null;
    });
    return this.#newerLoad;
  }

  close(): void {
    this.#isClosed = true;
    this.#round += 1;
    this.#context.onClose(this);
  }

  /** @internal The live list has grown, or has begun. */
  follow(appended: readonly Message[]): void {
    if (this.#last === null) {
      this.showNewest();
      return;
    }
    const next = this.#last + 1;
    const joining = appended.filter(({ seq }) => seq >= next);
    if (joining.length === 0 || joining[0]?.seq !== next) {
      return;
    }
    const room = this.#isReadingBack ? this.#size - this.#messages.length : joining.length;
    const taken = joining.slice(0, room);
    if (taken.length > 0) {
      this.#show([...this.#messages, ...taken].slice(-this.#size), next + taken.length - 1);
    }
  }

  /** @internal */
  react(messageId: string, reactions: Reaction[]): void {
    const index = this.#messages.findLastIndex(({ _id }) => _id === messageId);
    const message = this.#messages[index];
    if (message !== undefined) {
      this.#messages = this.#messages.with(index, { ...message, reactions });
      this.#context.onChange();
    }
  }

  /** @internal Reactions may have changed, and the server cannot say which: everything is read again. */
  async reload(): Promise<void> {
    const mine = this.#round;
    const last = this.#last ?? 0;
    const read: Message[] = [];
    for (let after = this.#first - 1; after < last; ) {
      const page = await this.#fetch({ after, limit: Math.min(PAGE_MAX, last - after) });
      const end = page.at(-1)?.seq;
      if (end === undefined || mine !== this.#round) {
        return;
      }
      read.push(...page);
      after = end;
    }
    const fresh = new Map(read.map((message) => [message._id, message]));
    this.#messages = this.#messages.map((message) => fresh.get(message._id) ?? message);
    this.#context.onChange();
  }

  /** `seq` of the first message here; one more than the last when there is none. */
  get #first(): number {
    return (this.#last ?? 0) - this.#messages.length + 1;
  }

  async #loadOlder(limit: number): Promise<number> {
    const { log } = this.#context;
    if (this.#last === null || (this.#messages.length === 0 && !this.hasNewer)) {
      // Nothing to join on: what is shown begins with the newest page of the live list.
      const count = await this.#context.loadOlder(limit);
      if (this.#messages.length === 0) {
        this.showNewest();
      }
      return count;
    }
    const first = this.#first;
    if (first <= 1) {
      return 0;
    }
    const mine = this.#round;
    const page =
      first > log.first
        ? log.messages.slice(Math.max(0, first - limit - log.first), first - log.first)
        : await this.#fetch({ before: first, limit });
    if (mine !== this.#round || page.at(-1)?.seq !== this.#first - 1) {
      return 0;
    }
    this.#isReadingBack = true;
    const messages = [...page, ...this.#messages].slice(0, this.#size);
    this.#show(messages, messages.at(-1)?.seq ?? 0);
    return page.length;
  }

  async #loadNewer(limit: number): Promise<number> {
    const { log } = this.#context;
    const mine = this.#round;
    if (!this.hasNewer) {
      return 0;
    }
    const next = (this.#last ?? 0) + 1;
    const page =
      next >= log.first
        ? log.messages.slice(next - log.first, next - log.first + limit)
        : await this.#fetch({ after: next - 1, limit });
    if (mine !== this.#round || page[0]?.seq !== (this.#last ?? 0) + 1) {
      return 0;
    }
    const messages = [...this.#messages, ...page].slice(-this.#size);
    this.#show(messages, messages.at(-1)?.seq ?? 0);
    this.#isReadingBack = this.hasNewer;
    return page.length;
  }

  async #fetch(query: { before?: number; after?: number; limit: number }): Promise<Message[]> {
    const { log } = this.#context;
    return log.whileLoading(async () => {
      const page = await this.#context.fetch({ conversationId: log.conversationId, ...query });
      return page.messages.map((message) => log.placed(message));
    });
  }

  #show(messages: readonly Message[], last: number): void {
    if (!this.#isClosed) {
      this.#messages = messages;
      this.#last = last;
      this.#context.onChange();
    }
  }
}
