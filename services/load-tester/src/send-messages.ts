import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import { kindOf } from './cast.ts';
import type { Crowd, OpenOrder } from './crowd.ts';
import type { Membership, Participant } from './participant.ts';
import type { Recorder } from './recorder.ts';
import { arrivals } from './schedule.ts';
import type { Step } from './worker-protocol.ts';

/** Messages that are sent before answers are looked at, when this process is behind. */
const IN_ROW_MAX = 50;
/** Characters of a message. */
const TEXT_LENGTH = 100;

/** Who says what where: one of the kinds by its share, one who is in such a conversation, one of these. */
export class Speakers {
  /** For each kind, who is in a conversation of it, and their memberships in such. */
  readonly #kinds: { share: number; people: [Participant, Membership[]][] }[] = [];

  constructor(crowd: Crowd, { cast }: Pick<OpenOrder, 'cast'>) {
    for (const [kind, { share }] of cast.kinds.entries()) {
      const people = crowd.senders.flatMap((participant): [Participant, Membership[]][] => {
        const memberships = participant.memberships.filter(
          ({ conversation }) => kindOf(cast, conversation) === kind,
        );
        return memberships.length === 0 ? [] : [[participant, memberships]];
      });
      if (people.length > 0) {
        this.#kinds.push({ share, people });
      }
    }
  }

  any(): [Participant, Membership] | null {
    const total = this.#kinds.reduce((sum, { share }) => sum + share, 0);
    let left = Math.random() * total;
    const kind =
      this.#kinds.find(({ share }) => {
        left -= share;
        return left < 0;
      }) ?? this.#kinds.at(-1);
    const someone = kind === undefined ? undefined : anyOf(kind.people);
    const membership = someone === undefined ? undefined : anyOf(someone[1]);
    return someone === undefined || membership === undefined ? null : [someone[0], membership];
  }
}

export class MessageSender {
  unanswered = 0;
  /** Due while the socket of the sender was gone. */
  skipped = 0;
  #count = 0;
  readonly #crowd: Crowd;
  readonly #recorder: Recorder;
  readonly #now: () => number;

  constructor(crowd: Crowd, recorder: Recorder, now: () => number) {
    this.#crowd = crowd;
    this.#recorder = recorder;
    this.#now = now;
  }

  /**
   * Every message at the moment at which it is due, whatever became of the ones before.
   *
   * @param part of the rate, that of this worker
   * @param beside what else people do around each message
   */
  async send(options: {
    from: number;
    steps: readonly Step[];
    part: number;
    speakers: Speakers;
    beside: ((speaker: Participant, membership: Membership) => void) | null;
  }): Promise<void> {
    let from = options.from;
    let inRow = 0;
    for (const { rate, duration } of options.steps) {
      for (const arrival of arrivals(rate * options.part, duration)) {
        const due = from + arrival;
        inRow += 1;
        for (let left = due - this.#now(); left > 0; left = due - this.#now()) {
          inRow = 0;
          await pause(left);
        }
        if (inRow >= IN_ROW_MAX) {
          inRow = 0;
          await breathe();
        }
        const spoken = options.speakers.any();
        if (spoken !== null) {
          options.beside?.(...spoken);
          this.#sendOne(...spoken, due);
        }
      }
      from += duration;
      await pause(Math.max(0, from - this.#now()));
    }
  }

  #sendOne(participant: Participant, membership: Membership, due: number): void {
    const socket = participant.reachable;
    if (socket === null) {
      this.skipped += 1;
      return;
    }
    this.#count += 1;
    this.unanswered += 1;
    participant.awaited += 1;
    this.#recorder.sent(due);
    membership.sent();
    // Nothing else in the run has the same text.
    const content = `${due.toFixed(3)} ${participant.index}-${this.#count} `.padEnd(
      TEXT_LENGTH,
      'x',
    );
    const conversationId = this.#crowd.idOf(membership.conversation);
    socket.emit('send_message', { conversationId, content }, (json) => {
      this.unanswered -= 1;
      participant.awaited -= 1;
      const { success, message, error } = JSON.parse(json);
      if (success === true) {
        this.#recorder.confirmed(due);
        membership.confirmed(message.seq);
      } else {
        this.#recorder.refused(due, String(error?.code ?? 'UNKNOWN'));
      }
    });
  }
}

export function anyOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)];
}
