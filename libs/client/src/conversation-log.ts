import type { Message, Reaction } from './shapes.ts';

/** Messages that came before their turn; beyond, the farthest is forgotten and fetched later. */
const HELD_MAX = 500;
/** Reactions to messages that are not here yet. */
const UNPLACED_MAX = 200;
/** How many messages reading back may bring into memory in all. */
export const OLDER_MAX = 10_000;

/**
 * The one list of a conversation: rising `seq` without a gap or a duplicate, from somewhere up to
 * `last`. Everything that arrives, by whatever way, goes through here.
 *
 * Unpositioned at first: where the list begins is told by the first page, by `position` or by the
 * very first message, and what arrives earlier is held. Holds the newest `keep` messages, and as many older ones as were asked
 * for; older ones give way to newer ones.
 */
export class ConversationLog {
  readonly conversationId: string;
  readonly #keep: number;
  #capacity: number;
  #messages: Message[] = [];
  #last: number | null = null;
  #head = 0;
  readonly #held = new Map<number, Message>();
  #loads = 0;
  readonly #unplaced = new Map<string, Reaction[]>();
  #snapshot: readonly Message[] | null = null;

  constructor(conversationId: string, keep: number) {
    this.conversationId = conversationId;
    this.#keep = keep;
    this.#capacity = keep;
  }

  /** A copy that does not change; the same one until something changes. */
  get messages(): readonly Message[] {
    this.#snapshot ??= [...this.#messages];
    return this.#snapshot;
  }

  get positioned(): boolean {
    return this.#last !== null;
  }

  /** `seq` up to which the list is complete; 0 while it is not positioned. */
  get last(): number {
    return this.#last ?? 0;
  }

  /** `seq` of the oldest message here; one more than `last` when there is none. */
  get first(): number {
    return this.last - this.#messages.length + 1;
  }

  /** The greatest `seq` heard of. */
  get head(): number {
    return Math.max(this.#head, this.last);
  }

  get hasOlder(): boolean {
    return !this.positioned || this.first > 1;
  }

  /** Whether something is known to be missing at the end; false while it is not positioned. */
  get hasGap(): boolean {
    return this.positioned && this.head > this.last;
  }

  /** Begins the list behind this `seq`, unless it has begun. Gives what could be appended. */
  position(seq: number): Message[] {
    if (this.positioned) {
      return [];
    }
    this.#last = seq;
    this.#snapshot = null;
    for (const held of [...this.#held.keys()]) {
      if (held <= seq) {
        this.#held.delete(held);
      }
    }
    return this.#appendHeld();
  }

  /** The conversation has at least this many messages. */
  noteHead(seq: number): void {
    this.#head = Math.max(this.#head, seq);
  }

  /** Takes messages in any order. Gives those that were appended, in order. */
  receive(messages: readonly Message[]): Message[] {
    const appended: Message[] = [];
    for (const message of messages) {
      this.noteHead(message.seq);
      if (message.seq === 1) {
        // Nothing can come before it.
        appended.push(...this.position(0));
      }
      if (this.#last !== null && message.seq === this.#last + 1) {
        appended.push(...this.#append(message), ...this.#appendHeld());
      } else if (this.#last === null || message.seq > this.#last) {
        this.#hold(message);
      }
    }
    return appended;
  }

  /** Takes a page in rising order without a gap; the first one positions the list. */
  receivePage(messages: readonly Message[]): Message[] {
    const [first] = messages;
    const appended = first === undefined ? [] : this.position(first.seq - 1);
    return [...appended, ...this.receive(messages)];
  }

  /** Puts older messages in front. Gives how many there was room for. */
  prepend(page: readonly Message[]): number {
    const first = this.first;
    const fitting = page.filter(({ seq }) => seq < first);
    // What does not join on would make a gap: somebody else has loaded meanwhile.
    if (fitting.length === 0 || fitting.at(-1)?.seq !== first - 1) {
      return 0;
    }
    const room = Math.max(0, OLDER_MAX - this.#messages.length);
    const taken = room === 0 ? [] : fitting.slice(-room).map((message) => this.placed(message));
    this.#messages.unshift(...taken);
    this.#capacity = Math.max(this.#capacity, this.#messages.length);
    this.#snapshot = null;
    return taken.length;
  }

  /** Whether a message is here now; its reactions are these. */
  react(messageId: string, reactions: Reaction[]): boolean {
    const index = this.#messages.findLastIndex(({ _id }) => _id === messageId);
    const message = this.#messages[index];
    if (message !== undefined) {
      this.#messages[index] = { ...message, reactions };
      this.#snapshot = null;
      return true;
    }
    for (const [seq, held] of this.#held) {
      if (held._id === messageId) {
        this.#held.set(seq, { ...held, reactions });
        return false;
      }
    }
    if (this.#loads > 0) {
      this.#unplaced.delete(messageId);
      this.#unplaced.set(messageId, reactions);
      for (const [oldest] of this.#unplaced) {
        if (this.#unplaced.size <= UNPLACED_MAX) {
          break;
        }
        this.#unplaced.delete(oldest);
      }
    }
    return false;
  }

  find(messageId: string): Message | undefined {
    return this.#messages.findLast(({ _id }) => _id === messageId);
  }

  at(seq: number): Message | undefined {
    return this.#messages[seq - this.first];
  }

  /**
   * While a page is being loaded, reactions to messages that are not here are kept: the page may
   * have been read before them.
   */
  async whileLoading<Result>(load: () => Promise<Result>): Promise<Result> {
    this.#loads += 1;
    try {
      return await load();
    } finally {
      this.#loads -= 1;
      if (this.#loads === 0) {
        this.#unplaced.clear();
      }
    }
  }

  /** Forgets all but the newest messages. */
  trim(newest = this.#keep): void {
    this.#capacity = this.#keep;
    if (this.#messages.length > newest) {
      this.#messages = newest === 0 ? [] : this.#messages.slice(-newest);
      this.#snapshot = null;
    }
  }

  /** With the reactions that were heard of while it was being loaded. */
  placed(message: Message): Message {
    const reactions = this.#unplaced.get(message._id);
    return reactions === undefined ? message : { ...message, reactions };
  }

  #append(message: Message): Message[] {
    const placed = this.placed(message);
    this.#messages.push(placed);
    this.#last = message.seq;
    this.#held.delete(message.seq);
    if (this.#messages.length > this.#capacity) {
      this.#messages.shift();
    }
    this.#snapshot = null;
    return [placed];
  }

  #appendHeld(): Message[] {
    const appended: Message[] = [];
    for (let next = this.#nextHeld(); next !== undefined; next = this.#nextHeld()) {
      appended.push(...this.#append(next));
    }
    return appended;
  }

  #nextHeld(): Message | undefined {
    return this.#held.get(this.last + 1);
  }

  #hold(message: Message): void {
    if (this.#held.has(message.seq)) {
      return;
    }
    this.#held.set(message.seq, message);
    if (this.#held.size > HELD_MAX) {
      this.#held.delete(Math.max(...this.#held.keys()));
    }
  }
}
