import { Latency } from './latency.ts';
import type { Step, Tally } from './worker-protocol.ts';

class OpenTally {
  sent = 0;
  confirmed = 0;
  delivered = 0;
  refused: Record<string, number> = {};
  readonly confirm = new Latency();
  readonly delivery = new Latency();
  /** Milliseconds behind the schedule, at most. */
  behind = 0;

  read(): Tally {
    const { sent, confirmed, delivered, refused } = this;
    return {
      sent,
      confirmed,
      delivered,
      refused: { ...refused },
      confirm: this.confirm.encode(),
      delivery: this.delivery.encode(),
    };
  }

  reset(): void {
    Object.assign(this, { sent: 0, confirmed: 0, delivered: 0, refused: {}, behind: 0 });
    this.confirm.reset();
    this.delivery.reset();
  }
}

/**
 * Counts what happens, for the second in which it happens and for the step in which the message was
 * due. Latencies are from then on, whenever this process got round to sending it.
 */
export class Recorder {
  readonly #now: () => number;
  readonly #second = new OpenTally();
  readonly #steps: OpenTally[] = [];
  /** When each step ends, in milliseconds since the epoch. */
  readonly #ends: number[] = [];

  /** @param now milliseconds since the epoch, by the clock that all workers share */
  constructor(now: () => number) {
    this.#now = now;
  }

  begin(from: number, steps: readonly Step[]): void {
    let end = from;
    for (const { duration } of steps) {
      end += duration;
      this.#ends.push(end);
      this.#steps.push(new OpenTally());
    }
  }

  sent(due: number): void {
    const step = this.#stepOf(due);
    step.behind = Math.max(step.behind, this.#now() - due);
    step.sent += 1;
    this.#second.sent += 1;
  }

  confirmed(due: number): void {
    const latency = this.#now() - due;
    for (const tally of [this.#stepOf(due), this.#second]) {
      tally.confirmed += 1;
      tally.confirm.record(latency);
    }
  }

  refused(due: number, code: string): void {
    for (const { refused } of [this.#stepOf(due), this.#second]) {
      refused[code] = (refused[code] ?? 0) + 1;
    }
  }

  delivered(due: number): void {
    const latency = this.#now() - due;
    for (const tally of [this.#stepOf(due), this.#second]) {
      tally.delivered += 1;
      tally.delivery.record(latency);
    }
  }

  /** What happened since it was called before. */
  takeSecond(): Tally {
    const tally = this.#second.read();
    this.#second.reset();
    return tally;
  }

  steps(): (Tally & { behind: number })[] {
    return this.#steps.map((step) => ({ ...step.read(), behind: step.behind }));
  }

  #stepOf(due: number): OpenTally {
    const index = this.#ends.findIndex((end) => due < end);
    const step = this.#steps.at(index);
    if (step === undefined) {
      throw new Error('A message came before the run began');
    }
    return step;
  }
}
