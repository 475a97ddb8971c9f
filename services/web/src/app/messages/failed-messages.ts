import type { ChatClient, PendingMessage } from '@bambochat/client';
import { describeProblem } from '../chat/describe-problem.ts';
import type { UserStorage } from '../session/user-storage.ts';
import { Store } from '../state/store.ts';

export interface FailedMessage {
  readonly clientMessageId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly problem: string;
}

/** Beyond, the oldest is forgotten. */
const KEPT_MAX = 100;

/** Messages that were finally refused: kept, over a reload too, until the user decides. */
export class FailedMessages {
  readonly store: Store<readonly FailedMessage[]>;
  readonly #client: ChatClient;

  constructor(client: ChatClient, storage: UserStorage) {
    this.#client = client;
    this.store = new Store<readonly FailedMessage[]>(storage.read('failed') ?? []);
    this.store.subscribe(() => storage.write('failed', this.store.get()));
    client.on('outbox', (entry) => this.#take(entry));
  }

  of(conversationId: string): readonly FailedMessage[] {
    return this.store.get().filter((failed) => failed.conversationId === conversationId);
  }

  /** Sends it as a new message: the server has refused the old one for good. */
  retry(clientMessageId: string): void {
    const failed = this.#remove(clientMessageId);
    if (failed !== undefined) {
      this.#client.conversation(failed.conversationId).send(failed.content);
    }
  }

  discard(clientMessageId: string): void {
    this.#remove(clientMessageId);
  }

  #take(entry: PendingMessage): void {
    const { clientMessageId, conversationId, content, createdAt, error } = entry;
    if (entry.state === 'refused' && error?.code !== 'CLOSED') {
      const failed = {
        clientMessageId,
        conversationId,
        content,
        createdAt,
        problem: describeProblem(error),
      };
      this.store.update((all) => [...all, failed].slice(-KEPT_MAX));
    }
  }

  #remove(clientMessageId: string): FailedMessage | undefined {
    const all = this.store.get();
    this.store.set(all.filter((failed) => failed.clientMessageId !== clientMessageId));
    return all.find((failed) => failed.clientMessageId === clientMessageId);
  }
}
