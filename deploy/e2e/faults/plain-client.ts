import { randomBytes } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { Answer, Message } from '../src/contract-shapes.ts';
import type { Person } from '../src/person.ts';
import type { Attempt, LoadClient } from './load-client.ts';

const ANSWER_TIME = 10_000;
const RETRY_PAUSE = 200;
/** Milliseconds after which nobody waits for the answer to a message that is sent once. */
const PATIENCE = 45_000;

/**
 * A stock socket.io-client that reconnects by itself. With `retries` it names every message and
 * sends it again until it is answered for good, one of a conversation at a time; without, it sends
 * each once, while it is connected. It hears live events and reads the gaps over REST.
 */
export class PlainClient implements LoadClient {
  readonly name: string;
  readonly userId: string;
  readonly attempts: Attempt[] = [];
  readonly #person: Person;
  readonly #retries: boolean;
  readonly #socket: Socket;
  readonly #heard = new Map<string, Map<number, Message>>();
  /** The tail of each conversation's queue. */
  readonly #queues = new Map<string, Promise<void>>();
  #connections = 0;
  #losses = 0;
  #repairing = 0;
  #closed = false;

  constructor(options: {
    person: Person;
    url: string;
    conversationIds: readonly string[];
    retries: boolean;
  }) {
    this.#person = options.person;
    this.#retries = options.retries;
    this.userId = options.person.userId;
    this.name = `${options.retries ? 'plain, retrying' : 'plain, once'} ${this.userId}`;
    for (const id of options.conversationIds) {
      this.#heard.set(id, new Map());
    }
    this.#socket = io(options.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 2000,
      timeout: 5000,
      auth: { token: options.person.accessToken },
    });
    this.#socket.on('connect', () => {
      this.#connections += 1;
      this.#repairSoon();
    });
    this.#socket.on('disconnect', () => {
      this.#losses += 1;
    });
    this.#socket.on('receive_message', (message: Message) => this.#hear(message));
    this.#socket.on('message_sent_confirm', (message: Message) => this.#hear(message));
    this.#socket.on('resync', () => this.#repairSoon());
  }

  get live(): boolean {
    return this.#socket.connected && this.#repairing === 0;
  }

  get losses(): number {
    return this.#losses;
  }

  get settled(): boolean {
    return this.attempts.every(({ outcome }) => outcome !== 'open');
  }

  lastSeq(conversationId: string): number {
    return Math.max(0, ...(this.#heard.get(conversationId)?.keys() ?? []));
  }

  list(conversationId: string): readonly Message[] {
    return [...(this.#heard.get(conversationId)?.values() ?? [])].toSorted((a, b) => a.seq - b.seq);
  }

  send(conversationId: string, content: string): void {
    const { connected } = this.#socket;
    if (!this.#retries && !connected) {
      return;
    }
    const attempt: Attempt = {
      conversationId,
      clientMessageId: randomBytes(12).toString('hex'),
      // What one socket sends keeps its order; a message may overtake one of the socket before.
      lane: this.#retries ? 'queue' : `connection ${this.#connections}`,
      at: Date.now(),
      handedOver: this.#retries || connected,
      outcome: 'open',
      message: null,
    };
    this.attempts.push(attempt);
    const payload = { conversationId, content, clientMessageId: attempt.clientMessageId };
    if (this.#retries) {
      const before = this.#queues.get(conversationId) ?? Promise.resolve();
      this.#queues.set(
        conversationId,
        before.then(() => this.#sendUntilAnswered(attempt, payload)),
      );
    } else {
      void this.#ask(payload, PATIENCE).then((answer) => settle(attempt, answer, true));
    }
  }

  /** Reads what is missing in each conversation, up to its end. */
  async repair(): Promise<void> {
    this.#repairing += 1;
    try {
      for (const [conversationId, heard] of this.#heard) {
        let known = 0;
        while (heard.has(known + 1)) {
          known += 1;
        }
        for (let hasMore = true; hasMore; ) {
          const page = await this.#person.page(conversationId, { after: known, limit: 200 });
          for (const message of page.messages) {
            this.#hear(message);
            known = message.seq;
          }
          hasMore = page.hasMore;
        }
      }
    } finally {
      this.#repairing -= 1;
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.disconnect();
  }

  #repairSoon(): void {
    this.repair().catch(() => {
      if (!this.#closed && this.#socket.connected) {
        setTimeout(() => this.#repairSoon(), 1000);
      }
    });
  }

  /** Another message in a place that is taken breaks the order for all to see: keep the first. */
  #hear(message: Message): void {
    const heard = this.#heard.get(message.conversationId);
    if (heard !== undefined && !heard.has(message.seq)) {
      heard.set(message.seq, message);
    }
  }

  async #sendUntilAnswered(attempt: Attempt, payload: object): Promise<void> {
    while (attempt.outcome === 'open' && !this.#closed) {
      settle(attempt, await this.#ask(payload, ANSWER_TIME), false);
      if (attempt.outcome === 'open') {
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE));
      }
    }
  }

  /** Null when nothing was answered in time, or the connection broke before. */
  #ask(payload: object, timeout: number): Promise<Answer | null> {
    if (!this.#socket.connected) {
      return Promise.resolve(null);
    }
    const { promise, resolve } = Promise.withResolvers<Answer | null>();
    const broken = () => resolve(null);
    this.#socket.once('disconnect', broken);
    this.#socket
      .timeout(timeout)
      .emit('send_message', payload, (error: unknown, answer: Answer) => {
        this.#socket.off('disconnect', broken);
        resolve(error ? null : answer);
      });
    return promise;
  }
}

/** @param once nobody will ask again: no answer is final, too, and leaves open what became of it */
function settle(attempt: Attempt, answer: Answer | null, once: boolean): void {
  if (answer?.message !== undefined) {
    attempt.outcome = 'confirmed';
    attempt.message = answer.message;
  } else if (answer?.error !== undefined && (once || !answer.error.retryable)) {
    attempt.outcome = 'refused';
  } else if (once) {
    attempt.outcome = 'unanswered';
  }
}
