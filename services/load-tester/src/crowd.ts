import { setTimeout as pause } from 'node:timers/promises';
import type { ConversationId } from '@bambochat/protocol';
import { conversationsIn, membersOf, userOf } from './cast.ts';
import { Latency } from './latency.ts';
import { LightSocket } from './light-socket.ts';
import { Participant } from './participant.ts';
import { createTokens, type Tokens } from './people.ts';
import type { Recorder } from './recorder.ts';
import { isOutOfPorts, SourceAddresses } from './source-addresses.ts';
import type { Opened, Order } from './worker-protocol.ts';

export type OpenOrder = Order & { kind: 'open' };

const CONCURRENCY = 64;
const FAILURES_SHOWN = 5;
const ATTEMPTS = 5;
const ATTEMPTS_TO_COME_BACK = 100;
/** Milliseconds. */
const RETRY_AFTER = 500;
const COME_BACK_WITHIN = 1000;

/** The users of this worker, their sockets and what they hear. */
export class Crowd {
  readonly participants: Participant[] = [];
  readonly #tokens: Tokens;
  readonly #order: OpenOrder;
  readonly #recorder: Recorder;
  readonly #sources: SourceAddresses;
  readonly #indexes = new Map<string, number>();
  /** When something was heard last: `performance.now()`. */
  lastDelivery = 0;
  socketsLost = 0;
  /** Messages that came to who is no member. */
  strays = 0;
  /** Sockets that are open. */
  open = 0;

  constructor(order: OpenOrder, recorder: Recorder, secret: string | null) {
    this.#order = order;
    this.#recorder = recorder;
    this.#tokens = createTokens(order.rest, secret);
    this.#sources = new SourceAddresses(order.sourceAddresses);
    for (const [index, id] of order.ids.entries()) {
      this.#indexes.set(id, index);
    }
    const mine = new Map<number, Participant>();
    for (let index = order.worker; index < order.cast.sockets; index += order.workers) {
      mine.set(index, new Participant(index));
    }
    for (let conversation = 0; conversation < conversationsIn(order.cast); conversation += 1) {
      for (const member of membersOf(order.cast, conversation)) {
        mine.get(member)?.join(conversation);
      }
    }
    this.participants.push(...mine.values());
  }

  get senders(): Participant[] {
    return this.participants.filter(({ memberships }) => memberships.length > 0);
  }

  idOf(conversation: number): ConversationId {
    return this.#order.ids[conversation] as ConversationId;
  }

  tokenOf(participant: Participant): Promise<string> {
    return this.#tokens(userOf(this.#order.cast, participant.index));
  }

  /** All sockets, at the rate of the order. */
  async openAll(): Promise<Opened> {
    const { participants } = this;
    const connect = new Latency();
    const failures: string[] = [];
    const began = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        while (next < participants.length) {
          const index = next;
          next += 1;
          const due = began + (index * 1000) / this.#order.connectRate;
          await pause(Math.max(0, due - performance.now()));
          const participant = participants[index] as Participant;
          const failure = await this.#openPatiently(participant, ATTEMPTS, connect);
          if (failure !== null && failures.length < FAILURES_SHOWN) {
            failures.push(failure);
          }
        }
      }),
    );
    return {
      kind: 'opened',
      sockets: this.open,
      senders: this.senders.length,
      seconds: (performance.now() - began) / 1000,
      connect: connect.encode(),
      failures,
    };
  }

  /** After any ending; resolves when the socket is there, or was given up. */
  async comeBack(participant: Participant): Promise<void> {
    await this.#openPatiently(participant, ATTEMPTS_TO_COME_BACK);
  }

  /** Gives how long the handshake took. */
  async #open(participant: Participant, from: string | undefined): Promise<number> {
    const token = await this.tokenOf(participant);
    const began = performance.now();
    participant.socket = await LightSocket.open({
      url: this.#targetOf(participant),
      token,
      localAddress: from,
      onEvent: (name, json) => this.#hear(participant, name, json),
      onClose: () => {
        this.open -= 1;
        const ending = participant.disconnected();
        this.socketsLost += Number(ending === 'server');
        if (ending !== 'leaving') {
          void pause(Math.random() * COME_BACK_WITHIN).then(() => this.comeBack(participant));
        }
      },
    });
    this.open += 1;
    return performance.now() - began;
  }

  /** Until it has succeeded, or `attempts` times. */
  async #openPatiently(
    participant: Participant,
    attempts: number,
    latency?: Latency,
  ): Promise<string | null> {
    const target = this.#targetOf(participant);
    for (let attempt = 1; ; attempt += 1) {
      const from = this.#sources.for(target);
      try {
        const took = await this.#open(participant, from);
        latency?.record(took);
        return null;
      } catch (error) {
        if (isOutOfPorts(error) && this.#sources.next(target, from)) {
          continue;
        }
        if (attempt >= attempts) {
          return (error as Error).message;
        }
        await pause(RETRY_AFTER * (0.5 + Math.random()) * Math.min(attempt, 20));
      }
    }
  }

  #targetOf({ index }: Participant): string {
    const { targets } = this.#order;
    return targets[index % targets.length] ?? '';
  }

  #hear(participant: Participant, name: string, json: string): void {
    if (name !== 'receive_message') {
      return;
    }
    const conversation = this.#indexes.get(fieldOf(json, 'conversationId'));
    const membership = conversation === undefined ? undefined : participant.in(conversation);
    if (membership === undefined) {
      this.strays += 1;
      return;
    }
    this.lastDelivery = performance.now();
    membership.heard(Number.parseInt(fieldOf(json, 'seq'), 10));
    membership.newest = json;
    this.#recorder.delivered(Number.parseFloat(fieldOf(json, 'content')));
  }
}

/** Of a message as JSON text, without reading all of it: no text of a run has such names in it. */
export function fieldOf(json: string, name: string): string {
  const begin = json.indexOf(`"${name}":`) + name.length + 3;
  return json[begin] === '"'
    ? json.slice(begin + 1, json.indexOf('"', begin + 1))
    : json.slice(begin, begin + 12);
}
