import type { ChatError } from './chat-error.ts';
import type { OutboxRow, StoredRow } from './outbox-storage.ts';
import type { Message } from './shapes.ts';

/**
 * - `storing`: on its way into the outbox
 * - `pending`: in the outbox, will be sent
 * - `sending`: sent, not confirmed yet
 * - `confirmed`: stored by the server; in the list, unless the user has just come into the
 *   conversation and it is not known yet where the list begins
 * - `refused`: finally; `error` says why. `STORAGE`: it was never sent, as it could not be kept
 */
export type PendingState = 'storing' | 'pending' | 'sending' | 'confirmed' | 'refused';

/** A message of one's own that is not in the list yet. */
export class PendingMessage {
  readonly clientMessageId: string;
  readonly conversationId: string;
  readonly content: string;
  /** ISO 8601; when it was written here. */
  readonly createdAt: string;
  /**
   * The message as it is stored. Rejects with the ChatError when it is finally refused, and with
   * `CLOSED` when the client is closed first. Nobody has to listen: `outbox` events tell the same.
   */
  readonly confirmed: Promise<Message>;
  #state: PendingState;
  #error: ChatError | null = null;
  #place: number | null;
  readonly #settled = Promise.withResolvers<Message>();

  constructor(row: OutboxRow | StoredRow) {
    this.clientMessageId = row.clientMessageId;
    this.conversationId = row.conversationId;
    this.content = row.content;
    this.createdAt = row.createdAt;
    this.#place = 'place' in row ? row.place : null;
    this.#state = this.#place === null ? 'storing' : 'pending';
    this.confirmed = this.#settled.promise;
    this.confirmed.catch(() => {});
  }

  get state(): PendingState {
    return this.#state;
  }

  get error(): ChatError | null {
    return this.#error;
  }

  /** The row in the storage; null while there is none. */
  get row(): StoredRow | null {
    const { clientMessageId, conversationId, content, createdAt } = this;
    return this.#place === null
      ? null
      : { clientMessageId, conversationId, content, createdAt, place: this.#place };
  }

  get settled(): boolean {
    return this.#state === 'confirmed' || this.#state === 'refused';
  }

  /** @internal */
  stored(place: number): void {
    this.#place = place;
    this.#state = 'pending';
  }

  /** @internal */
  sending(isSending: boolean): void {
    this.#state = isSending ? 'sending' : 'pending';
  }

  /** @internal */
  confirm(message: Message): void {
    this.#state = 'confirmed';
    this.#settled.resolve(message);
  }

  /** @internal */
  refuse(error: ChatError): void {
    this.#state = 'refused';
    this.#error = error;
    this.#settled.reject(error);
  }

  /** @internal The client is gone; what is stored is sent by the next one. */
  abandon(error: ChatError): void {
    this.#settled.reject(error);
  }
}
