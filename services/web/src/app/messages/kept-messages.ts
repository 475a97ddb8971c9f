import type { Message } from '@bambochat/client';
import type { UserStorage } from '../session/user-storage.ts';

/** The newest of each conversation, for a page that is opened without a connection. */
const MESSAGES_MAX = 40;
/** Conversations that were looked at last. */
const CONVERSATIONS_MAX = 30;

/** A few messages of a few conversations, in this browser, until the user logs out. */
export class KeptMessages {
  readonly #storage: UserStorage;

  constructor(storage: UserStorage) {
    this.#storage = storage;
  }

  read(conversationId: string): readonly Message[] {
    return this.#storage.read<Message[]>(`messages-${conversationId}`) ?? [];
  }

  write(conversationId: string, messages: readonly Message[]): void {
    const known = this.#storage.read<string[]>('messages') ?? [];
    const ids = [conversationId, ...known.filter((id) => id !== conversationId)];
    for (const old of ids.splice(CONVERSATIONS_MAX)) {
      this.#storage.write(`messages-${old}`, null);
    }
    this.#storage.write('messages', ids);
    this.#storage.write(`messages-${conversationId}`, messages.slice(-MESSAGES_MAX));
  }
}
