import { type Backoff, createBackoff } from './backoff.ts';
import { asChatError, ChatError, closed, errorFromWire } from './chat-error.ts';
import { inOrder, type OutboxRow, type OutboxStorage, type StoredRow } from './outbox-storage.ts';
import { createOutboxTurn, type OutboxNotice } from './outbox-turn.ts';
import { PendingMessage } from './pending-message.ts';
import type { Message } from './shapes.ts';

/** Messages of one's own that wait, in memory; beyond, sending is refused as `OVERLOADED`. */
export const OUTBOX_MAX = 1000;
/** Settled messages that a late reading or another page may still mention. */
const SETTLED_MAX = 1000;

/** The messages of one conversation, in order. Only the first is ever on its way. */
interface Lane {
  entries: PendingMessage[];
  backoff: Backoff;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

export interface OutboxOptions {
  storage: OutboxStorage;
  /** Sends and waits for the confirmation. @throws ChatError */
  send: (row: OutboxRow) => Promise<Message>;
  /** The entry is new, or its state has changed. */
  onChange: (entry: PendingMessage) => void;
  onConfirmed: (message: Message) => void;
  onError: (error: ChatError) => void;
}

/**
 * What the user wrote and the server has not confirmed. A row is stored before its message is sent,
 * and sent again under the same `clientMessageId`, over any number of connections, until the server
 * has confirmed or finally refused it.
 *
 * Order: one message of a conversation is on its way at a time, so a message that has to be tried
 * again is not overtaken.
 *
 * Several pages with one storage: see {@link createOutboxTurn}. Without Web Locks every page sends
 * all that it knows; the server keeps the first copy, and what one page wrote stays in order.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #turn: ReturnType<typeof createOutboxTurn>;
  #storing: Promise<unknown> = Promise.resolve();
  #loading: Promise<void> | null = null;
  #mayHoldMore = true;
  #online = false;
  #granted = false;
  #closed = false;
  #size = 0;
  /** Bounded; the newest. */
  readonly #settled = new Set<string>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#turn = createOutboxTurn(options.storage.sharedName, (notice) => this.#heed(notice));
    void this.#load();
  }

  /** Unsettled messages of a conversation, in order. */
  pending(conversationId: string): PendingMessage[] {
    return [...(this.#lanes.get(conversationId)?.entries ?? [])];
  }

  /** Takes a new message. What is wrong with it is told by the entry. */
  add(entry: PendingMessage): void {
    if (this.#closed || this.#size >= OUTBOX_MAX) {
      const full = new ChatError('OVERLOADED', 'Too many messages are waiting', true);
      entry.refuse(this.#closed ? closed() : full);
      this.#options.onChange(entry);
      return;
    }
    this.#insert(entry);
    this.#options.onChange(entry);
    // One after the other, so that places follow the order of writing.
    this.#storing = this.#storing.then(() => this.#store(entry));
  }

  /** Whether messages can be sent now. */
  setOnline(online: boolean): void {
    if (this.#closed || this.#online === online) {
      return;
    }
    this.#online = online;
    this.#granted = false;
    if (online) {
      this.#turn.take(() => {
        if (this.#online) {
          this.#granted = true;
          void this.#load().then(() => this.#pumpAll());
        }
      });
    } else {
      this.#turn.release();
      for (const lane of this.#lanes.values()) {
        clearTimeout(lane.timer);
        lane.timer = undefined;
      }
    }
  }

  /** A message of one's own was seen in a conversation: whoever sent it, it is stored. */
  settle(message: Message): void {
    const entry = this.#find(message.conversationId, message.clientMessageId);
    if (entry !== undefined) {
      this.#confirm(entry, message);
    }
  }

  close(): void {
    this.setOnline(false);
    this.#closed = true;
    this.#turn.close();
    for (const { entries } of this.#lanes.values()) {
      for (const entry of entries) {
        entry.abandon(closed());
      }
    }
    // Rows on their way into the storage arrive before it is closed.
    void this.#storing.finally(() => this.#options.storage.close());
  }

  async #store(entry: PendingMessage): Promise<void> {
    const { clientMessageId, conversationId, content, createdAt } = entry;
    const row = { clientMessageId, conversationId, content, createdAt };
    try {
      entry.stored(await this.#options.storage.add(row));
    } catch (error) {
      const failure = asChatError(error);
      this.#take(entry);
      entry.refuse(failure);
      this.#options.onChange(entry);
      this.#options.onError(failure);
      this.#pump(conversationId);
      return;
    }
    if (!this.#closed) {
      this.#options.onChange(entry);
      if (entry.row !== null) {
        this.#turn.tell({ type: 'added', row: entry.row });
      }
      this.#pump(conversationId);
    }
  }

  #load(): Promise<void> {
    this.#loading ??= this.#readStorage().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #readStorage(): Promise<void> {
    try {
      const rows = await this.#options.storage.load(OUTBOX_MAX);
      this.#mayHoldMore = rows.length === OUTBOX_MAX;
      for (const row of rows) {
        this.#adopt(row);
      }
    } catch (error) {
      this.#options.onError(asChatError(error));
    }
  }

  /** A row that was written by an earlier client, or in another page. */
  #adopt(row: StoredRow): void {
    const known =
      this.#settled.has(keyOf(row)) ||
      this.#find(row.conversationId, row.clientMessageId) !== undefined;
    if (!this.#closed && !known && this.#size < 2 * OUTBOX_MAX) {
      const entry = new PendingMessage(row);
      this.#insert(entry);
      this.#options.onChange(entry);
    }
  }

  #heed(notice: OutboxNotice): void {
    if (notice.type === 'added') {
      this.#adopt(notice.row);
      this.#pump(notice.row.conversationId);
    } else if (notice.type === 'confirmed') {
      const message = notice.message as Message;
      const entry = this.#find(message.conversationId, message.clientMessageId);
      if (entry !== undefined) {
        this.#finish(entry);
        entry.confirm(message);
        this.#options.onConfirmed(message);
        this.#options.onChange(entry);
        this.#pump(entry.conversationId);
      }
    } else {
      const entry = this.#find(notice.conversationId, notice.clientMessageId);
      if (entry !== undefined) {
        this.#finish(entry);
        entry.refuse(errorFromWire(notice.error));
        this.#options.onChange(entry);
        this.#pump(entry.conversationId);
      }
    }
  }

  #find(conversationId: string, clientMessageId: string): PendingMessage | undefined {
    const entries = this.#lanes.get(conversationId)?.entries;
    return entries?.find((entry) => entry.clientMessageId === clientMessageId);
  }

  #insert(entry: PendingMessage): void {
    const lane = this.#lanes.get(entry.conversationId) ?? {
      entries: [],
      backoff: createBackoff(),
    };
    this.#lanes.set(entry.conversationId, lane);
    lane.entries.push(entry);
    this.#size += 1;
    // By place; what has none yet was written last. The sort is stable.
    lane.entries.sort((one, other) => {
      if (one.row === null || other.row === null) {
        return Number(one.row === null) - Number(other.row === null);
      }
      return inOrder(one.row, other.row);
    });
  }

  #take(entry: PendingMessage): void {
    const lane = this.#lanes.get(entry.conversationId);
    const index = lane?.entries.indexOf(entry) ?? -1;
    if (lane !== undefined && index >= 0) {
      lane.entries.splice(index, 1);
      this.#size -= 1;
      if (lane.entries.length === 0) {
        clearTimeout(lane.timer);
        this.#lanes.delete(entry.conversationId);
      }
    }
  }

  /** Out of the list and out of the storage. */
  #finish(entry: PendingMessage): void {
    this.#take(entry);
    this.#settled.add(keyOf(entry));
    for (const oldest of this.#settled) {
      if (this.#settled.size <= SETTLED_MAX) {
        break;
      }
      this.#settled.delete(oldest);
    }
    // A row that is still being stored has its place afterwards.
    this.#storing = this.#storing.then(async () => {
      const { row } = entry;
      if (row !== null) {
        try {
          await this.#options.storage.remove(row);
        } catch (error) {
          // Harmless: the next page sends it again and is given the stored message.
          this.#options.onError(asChatError(error));
        }
      }
      if (this.#size === 0 && this.#mayHoldMore && !this.#closed) {
        await this.#load();
        this.#pumpAll();
      }
    });
  }

  #confirm(entry: PendingMessage, message: Message): void {
    if (!entry.settled) {
      this.#finish(entry);
      entry.confirm(message);
      this.#turn.tell({ type: 'confirmed', message });
      this.#options.onConfirmed(message);
      this.#options.onChange(entry);
      this.#pump(entry.conversationId);
    }
  }

  #pumpAll(): void {
    for (const conversationId of [...this.#lanes.keys()]) {
      this.#pump(conversationId);
    }
  }

  #pump(conversationId: string): void {
    const lane = this.#lanes.get(conversationId);
    const entry = lane?.entries[0];
    if (
      lane === undefined ||
      entry?.state !== 'pending' ||
      lane.timer !== undefined ||
      !this.#granted
    ) {
      return;
    }
    entry.sending(true);
    this.#options.onChange(entry);
    void this.#attempt(lane, entry);
  }

  async #attempt(lane: Lane, entry: PendingMessage): Promise<void> {
    const { clientMessageId, conversationId, content, createdAt } = entry;
    try {
      const message = await this.#options.send({
        clientMessageId,
        conversationId,
        content,
        createdAt,
      });
      lane.backoff.reset();
      this.#confirm(entry, message);
    } catch (error) {
      const failure = asChatError(error);
      if (entry.settled) {
        // Somebody else has brought it to its end meanwhile.
      } else if (failure.retryable) {
        entry.sending(false);
        this.#options.onChange(entry);
        if (this.#granted) {
          lane.timer = setTimeout(() => {
            lane.timer = undefined;
            this.#pump(conversationId);
          }, lane.backoff.next());
        }
      } else {
        this.#finish(entry);
        entry.refuse(failure);
        const { code, message, retryable } = failure;
        this.#turn.tell({
          type: 'refused',
          clientMessageId,
          conversationId,
          error: { code, message, retryable },
        });
        this.#options.onChange(entry);
      }
    }
    this.#pump(conversationId);
  }
}

function keyOf(row: { conversationId: string; clientMessageId: string }): string {
  return `${row.conversationId} ${row.clientMessageId}`;
}
