import { setTimeout as pause } from 'node:timers/promises';
import { userOf } from './cast.ts';
import { type Crowd, fieldOf, type OpenOrder } from './crowd.ts';
import type { Membership, Participant } from './participant.ts';
import { type Reaction, readOn } from './read-history.ts';
import { anyOf, type Speakers } from './send-messages.ts';
import type { DayFigures } from './worker-protocol.ts';

/** What people do around a message, how often to one of them. */
const TYPING = 0.5;
const MARKS = 0.5;
const REACTIONS = 0.1;
/** Of all people, who goes within a second. */
const LEAVING = 0.01;
/** Milliseconds for which who goes is away, at most. */
const AWAY_MAX = 5000;
/** Milliseconds. */
const TURN = 100;

/**
 * A mixed day: people type before they send, mark what they have heard as read, react to it, go away
 * and come back, and then read what they missed. What is answered is held against the contract.
 */
export class Day {
  readonly figures: DayFigures = {
    typings: 0,
    marks: 0,
    reactions: 0,
    returns: 0,
    caughtUp: 0,
    wrong: 0,
  };
  readonly reactions: Reaction[] = [];
  readonly #crowd: Crowd;
  readonly #order: OpenOrder;
  readonly #speakers: Speakers;
  readonly #reacted = new WeakMap<Membership, string>();
  readonly #away = new Set<Promise<void>>();

  constructor(crowd: Crowd, order: OpenOrder, speakers: Speakers) {
    this.#crowd = crowd;
    this.#order = order;
    this.#speakers = speakers;
  }

  /** Around a message that `speaker` is about to send. */
  beside(speaker: Participant, { conversation }: Membership): void {
    if (Math.random() < TYPING && speaker.reachable !== null) {
      const conversationId = this.#crowd.idOf(conversation);
      speaker.reachable.emit('typing', { conversationId, isTyping: true });
      this.figures.typings += 1;
    }
    if (Math.random() < MARKS) {
      this.#withAnyone((...who) => this.#mark(...who));
    }
    if (Math.random() < REACTIONS) {
      this.#withAnyone((...who) => this.#react(...who));
    }
  }

  /** Some go and come back, until then; resolves when all are there again. */
  async comeAndGo(until: number): Promise<void> {
    let owed = 0;
    while (performance.now() < until) {
      await pause(TURN);
      owed += (this.#crowd.participants.length * LEAVING * TURN) / 1000;
      for (; owed >= 1; owed -= 1) {
        const participant = anyOf(this.#crowd.participants);
        if (participant !== undefined && participant.reachable !== null) {
          const away = this.#leave(participant).finally(() => this.#away.delete(away));
          this.#away.add(away);
        }
      }
    }
    await Promise.all(this.#away);
  }

  async #leave(participant: Participant): Promise<void> {
    participant.ending = 'leaving';
    participant.socket?.close();
    await pause(Math.random() * AWAY_MAX);
    // A close that is still on its way.
    while (participant.socket !== null) {
      await pause(TURN);
    }
    await this.#crowd.comeBack(participant);
    if (participant.socket === null) {
      this.figures.wrong += 1;
      return;
    }
    this.figures.returns += 1;
    await this.#catchUp(participant);
  }

  /** The history goes on right after what it knows, without a hole. */
  async #catchUp(participant: Participant): Promise<void> {
    const token = await this.#crowd.tokenOf(participant);
    const { rest } = this.#order;
    for (const membership of participant.memberships) {
      const { socket } = participant;
      let last = membership.known;
      await readOn(rest, token, this.#crowd.idOf(membership.conversation), {
        after: last,
        onMessage: ({ seq }) => {
          this.figures.wrong += Number(seq !== last + 1);
          this.figures.caughtUp += 1;
          last = seq;
        },
      });
      if (participant.socket === socket) {
        membership.caughtUp(last);
      }
    }
  }

  #withAnyone(
    act: (participant: Participant, membership: Membership, newest: string) => void,
  ): void {
    const someone = this.#speakers.any();
    const newest = someone?.[1].newest;
    if (someone !== null && newest && someone[0].reachable !== null) {
      act(...someone, newest);
    }
  }

  #mark(participant: Participant, membership: Membership, newest: string): void {
    const conversationId = this.#crowd.idOf(membership.conversation);
    const messageId = fieldOf(newest, '_id');
    this.#ask(participant, 'mark_read', { conversationId, messageId }, (answer) => {
      this.figures.marks += 1;
      return Number.isInteger(answer.unread) && Number(answer.unread) >= 0;
    });
  }

  /** Once to a message: a second time would take it back. */
  #react(participant: Participant, membership: Membership, newest: string): void {
    const messageId = fieldOf(newest, '_id');
    if (this.#reacted.get(membership) === messageId) {
      return;
    }
    this.#reacted.set(membership, messageId);
    const { conversation } = membership;
    const user = participant.index;
    this.#ask(participant, 'send_reaction', { messageId, reactionType: 'like' }, (answer) => {
      this.figures.reactions += 1;
      this.reactions.push({ conversation, messageId, user });
      const userId = userOf(this.#order.cast, user);
      const all = answer.reactions;
      return Array.isArray(all) && all.some((one) => one.userId === userId && one.type === 'like');
    });
  }

  /** A refusal that can be tried again is none of the wrong answers. */
  #ask(
    participant: Participant,
    event: string,
    payload: object,
    isRight: (answer: Record<string, unknown>) => boolean,
  ): void {
    participant.awaited += 1;
    participant.reachable?.emit(event, payload, (json) => {
      participant.awaited -= 1;
      const answer = JSON.parse(json);
      const { success, error } = answer;
      const isWrong = success === true ? !isRight(answer) : error?.retryable !== true;
      this.figures.wrong += Number(isWrong);
    });
  }
}
