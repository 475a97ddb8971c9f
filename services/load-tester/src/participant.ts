import { DeliveryCheck } from './delivery-check.ts';
import type { LightSocket } from './light-socket.ts';
import { SeqSet } from './seq-set.ts';

/** What one user heard and said in one conversation. */
export class Membership {
  readonly conversation: number;
  /** Confirmed to it. */
  readonly own = new SeqSet();
  /** The newest message that was heard, for those who mark and react. */
  newest: string | null = null;
  /** Of every connection that the user had. */
  readonly sums = { expected: 0, delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
  /** How far it knows the conversation, live or from the history. */
  known = 0;
  confirmedTwice = 0;
  #check = new DeliveryCheck({ cameBack: false });
  /** Sent on the open connection and not confirmed: they may be stored. */
  #unsure = 0;

  constructor(conversation: number) {
    this.conversation = conversation;
  }

  heard(seq: number): void {
    this.#check.take(seq);
    this.known = Math.max(this.known, seq);
  }

  sent(): void {
    this.#unsure += 1;
  }

  confirmed(seq: number): void {
    this.#unsure -= 1;
    this.confirmedTwice += Number(!this.own.add(seq));
  }

  /** What was stored before the present connection joined was read in the history, up to there. */
  caughtUp(lastSeq: number): void {
    this.known = Math.max(this.known, lastSeq);
    this.#check.catchUp(lastSeq);
  }

  /** The connection has ended: what it had heard must be whole up to the last thing that it heard. */
  disconnected(): void {
    this.#close(this.#check.highest);
    this.#check = new DeliveryCheck({ cameBack: true });
    this.#unsure = 0;
  }

  /** The run is over; so many messages are stored. */
  finish(stored: number): void {
    this.#close(stored);
  }

  #close(until: number): void {
    const { received, duplicated, reordered } = this.#check;
    // Its own that are stored and were never confirmed to it, it was not sent either.
    const lost = Math.max(0, this.#check.lost(until, this.own) - this.#unsure);
    this.sums.expected += received + lost;
    this.sums.delivered += received;
    this.sums.lost += lost;
    this.sums.duplicated += duplicated;
    this.sums.reordered += reordered;
  }
}

/** Why a connection ends: only `server` is not of the tester's doing. */
export type Ending = 'server' | 'storm' | 'leaving';

/** One user of the run. */
export class Participant {
  readonly index: number;
  readonly memberships: Membership[] = [];
  socket: LightSocket | null = null;
  /** Answers that may still come on the connection that is open. */
  awaited = 0;
  ending: Ending = 'server';
  readonly #byConversation = new Map<number, Membership>();

  constructor(index: number) {
    this.index = index;
  }

  /** The socket, unless it is about to go. */
  get reachable(): LightSocket | null {
    return this.ending === 'server' ? this.socket : null;
  }

  join(conversation: number): void {
    const membership = new Membership(conversation);
    this.memberships.push(membership);
    this.#byConversation.set(conversation, membership);
  }

  in(conversation: number): Membership | undefined {
    return this.#byConversation.get(conversation);
  }

  /** Gives why. */
  disconnected(): Ending {
    const { ending } = this;
    this.socket = null;
    this.awaited = 0;
    this.ending = 'server';
    for (const membership of this.memberships) {
      membership.disconnected();
    }
    return ending;
  }
}
