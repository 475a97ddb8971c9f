import { setTimeout as delay } from 'node:timers/promises';
import { type ChatConnection, connect } from './chat-connection.ts';
import type { Answer, Message } from './contract-shapes.ts';
import { keepSecret, type Person, randomName } from './person.ts';

const ANSWER_TIME = 10_000;
const GIVE_UP_AFTER = 90_000;
const PAUSE = 100;

/**
 * A client as the contract wants it: it names every message and sends it again, over whichever
 * gateway it reaches, until it is confirmed.
 */
export class RetryingSender implements Disposable {
  /** What was confirmed, by clientMessageId. Bounded by how long a case sends. */
  readonly confirmed = new Map<string, Message>();
  readonly attempted = new Set<string>();
  readonly #person: Person;
  readonly #conversationId: string;
  readonly #urls: readonly string[];
  #next: number;
  #connection: Promise<ChatConnection> | null = null;
  #sending = false;
  #workers: Promise<unknown> = Promise.resolve();
  /** How often something had to be sent again. */
  retries = 0;

  /** @param first index of the gateway to begin with */
  constructor(person: Person, conversationId: string, urls: readonly string[], first = 0) {
    this.#person = person;
    this.#conversationId = conversationId;
    this.#urls = urls;
    this.#next = first;
  }

  /** Sends until {@link finish}. @param inFlight how many messages wait for an answer at a time */
  start(inFlight: number): void {
    this.#sending = true;
    const worker = async () => {
      while (this.#sending) {
        await this.#send(randomName());
      }
    };
    this.#workers = Promise.all(Array.from({ length: inFlight }, worker));
  }

  /** Sends nothing new, and resolves when all that was begun is confirmed. */
  async finish(): Promise<void> {
    this.#sending = false;
    await this.#workers;
  }

  async #send(clientMessageId: string): Promise<void> {
    this.attempted.add(clientMessageId);
    const payload = {
      conversationId: this.#conversationId,
      content: keepSecret(`load ${clientMessageId}`),
      clientMessageId,
    };
    const giveUpAt = performance.now() + GIVE_UP_AFTER;
    while (performance.now() < giveUpAt) {
      const answer = await this.#attempt(payload);
      if (answer?.message !== undefined) {
        this.confirmed.set(clientMessageId, answer.message);
        return;
      }
      if (answer?.error !== undefined && !answer.error.retryable) {
        throw new Error(`A retry was refused for good: ${answer.error.code}`);
      }
      this.retries += 1;
      await delay(PAUSE);
    }
    throw new Error(`A message was not confirmed within ${GIVE_UP_AFTER} ms`);
  }

  /** Null when the connection broke or nothing was answered. */
  async #attempt(payload: object): Promise<Answer | null> {
    let connection: ChatConnection;
    try {
      connection = await this.#connected();
    } catch {
      return null;
    }
    try {
      const { socket } = connection;
      return (await socket.timeout(ANSWER_TIME).emitWithAck('send_message', payload)) as Answer;
    } catch {
      return null;
    }
  }

  #connected(): Promise<ChatConnection> {
    this.#connection ??= this.#reconnect();
    return this.#connection;
  }

  async #reconnect(): Promise<ChatConnection> {
    const url = this.#urls[this.#next % this.#urls.length] ?? '';
    this.#next += 1;
    try {
      const connection = await connect({ url, token: this.#person.accessToken });
      connection.socket.once('disconnect', () => {
        this.#connection = null;
      });
      return connection;
    } catch (error) {
      this.#connection = null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#sending = false;
    void this.#connection?.then(
      (connection) => connection.close(),
      () => {},
    );
  }
}
