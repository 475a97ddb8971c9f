import { randomBytes } from 'node:crypto';
import { waitFor } from '@bambochat/testing';
import { createDirect, createGroup, newPeople, type Person } from '../src/person.ts';
import type { Target } from '../src/target.ts';
import type { LoadOptions } from './fault.ts';
import type { LoadClient } from './load-client.ts';
import { PlainClient } from './plain-client.ts';
import { openSdkClient } from './sdk-client.ts';

const PEOPLE = 5;
/** Messages of one run at most: what is remembered of each is bounded by it. */
const MESSAGES_MAX = 50_000;

export interface LoadConversation {
  readonly id: string;
  readonly members: readonly Person[];
}

/**
 * Clients of every kind in a direct conversation and two groups, that send at a fixed rate whatever
 * the answers, and remember all that they were told. Three SDK clients, a plain client that tries
 * again, and one that sends each message once; all of them listen.
 */
export class CheckedLoad {
  readonly people: readonly Person[];
  readonly conversations: readonly LoadConversation[];
  readonly clients: readonly LoadClient[];
  readonly #rate: number;
  readonly #textLength: number;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  /** Makes people and conversations, and connects; nothing is sent before {@link begin}. */
  static async open(target: Target, options: LoadOptions): Promise<CheckedLoad> {
    const people = await newPeople(target, 'fault', PEOPLE);
    const [ada, ben, cleo, dan] = people as [Person, Person, Person, Person];
    const conversations = [
      { id: (await createDirect(ada, dan))._id, members: [ada, dan] },
      { id: (await createGroup(ada, people.slice(1)))._id, members: people },
      { id: (await createGroup(ben, [cleo, dan]))._id, members: [ben, cleo, dan] },
    ];
    const clients = people.map((person, index): LoadClient => {
      const url = options.urlOf(index);
      const ids = conversations
        .filter(({ members }) => members.includes(person))
        .map(({ id }) => id);
      return index < 3
        ? openSdkClient({ person, url, restUrl: target.restUrl, conversationIds: ids })
        : new PlainClient({ person, url, conversationIds: ids, retries: index === 3 });
    });
    const load = new CheckedLoad(people, conversations, clients, options);
    try {
      await load.allLive(options.patience);
    } catch (error) {
      load.close();
      throw error;
    }
    return load;
  }

  private constructor(
    people: readonly Person[],
    conversations: readonly LoadConversation[],
    clients: readonly LoadClient[],
    options: LoadOptions,
  ) {
    this.people = people;
    this.conversations = conversations;
    this.clients = clients;
    this.#rate = options.rate;
    this.#textLength = options.textLength;
  }

  get sent(): number {
    return this.#count(() => true);
  }

  get confirmed(): number {
    return this.#count(({ outcome }) => outcome === 'confirmed');
  }

  /** Sends from now on: open loop, so a server that does not answer gets no less. */
  begin(): void {
    this.#timer ??= setInterval(() => {
      for (const client of this.clients) {
        const mine = this.conversationsOf(client);
        const conversation = mine[this.#turn % mine.length];
        if (conversation !== undefined && this.sent < MESSAGES_MAX) {
          client.send(conversation.id, randomBytes(this.#textLength / 2).toString('hex'));
        }
      }
      this.#turn += 1;
    }, 1000 / this.#rate);
  }

  /** Sends nothing new. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  conversationsOf({ userId }: LoadClient): LoadConversation[] {
    return this.conversations.filter(({ members }) =>
      members.some((member) => member.userId === userId),
    );
  }

  /** Resolves when every client has `each` more messages confirmed. @throws after `timeout` ms */
  async flowing(each: number, timeout = 60_000): Promise<void> {
    const confirmedBy = (client: LoadClient) =>
      client.attempts.reduce((sum, { outcome }) => sum + Number(outcome === 'confirmed'), 0);
    const before = this.clients.map(confirmedBy);
    await waitFor(
      () =>
        this.clients.every((client, index) => confirmedBy(client) >= (before[index] ?? 0) + each),
      { describe: `${each} more confirmed messages of every client`, timeout, interval: 50 },
    );
  }

  /** Resolves when every client is connected and has caught up. @throws after `timeout` ms */
  async allLive(timeout: number): Promise<void> {
    await waitFor(() => this.clients.every(({ live }) => live), {
      describe: 'all clients to be live',
      timeout,
      interval: 50,
    });
  }

  /**
   * Resolves when every client is live, has had a message confirmed that was sent after `since`, and
   * knows of one in each of its conversations. @throws after `timeout` ms
   */
  async recovered(since: number, timeout: number): Promise<void> {
    const newest = (conversationId: string): number => {
      const seqs = this.clients.flatMap(({ attempts }) =>
        attempts.flatMap((attempt) =>
          attempt.conversationId === conversationId && attempt.at >= since && attempt.message
            ? [attempt.message.seq]
            : [],
        ),
      );
      return seqs.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...seqs);
    };
    await waitFor(
      () =>
        this.clients.every(
          (client) =>
            client.live &&
            client.attempts.some(({ at, outcome }) => at >= since && outcome === 'confirmed') &&
            this.conversationsOf(client).every(({ id }) => client.lastSeq(id) >= newest(id)),
        ),
      {
        describe: 'every client to be live, confirmed and up to date',
        timeout,
        interval: 50,
      },
    );
  }

  close(): void {
    this.end();
    for (const client of this.clients) {
      client.close();
    }
  }

  #count(which: (attempt: LoadClient['attempts'][number]) => boolean): number {
    return this.clients.reduce((sum, { attempts }) => sum + attempts.filter(which).length, 0);
  }
}
