import { SeqSet } from './seq-set.ts';

/**
 * What one connection has received of one conversation: which `seq`, and in which order. From the
 * first message on for a connection that was there before it; from the first one that it heard for
 * one that has come back, or from where the history that it read then ends: what came in between is
 * for the history.
 */
export class DeliveryCheck {
  duplicated = 0;
  reordered = 0;
  /** The largest `seq` that came. */
  highest = 0;
  #from: number | null;
  readonly #seen = new SeqSet();

  constructor(options: { cameBack: boolean }) {
    this.#from = options.cameBack ? null : 1;
  }

  /** Different messages. */
  get received(): number {
    return this.#seen.size;
  }

  /** A message came. */
  take(seq: number): void {
    if (!this.#seen.add(seq)) {
      this.duplicated += 1;
      return;
    }
    this.#from ??= seq;
    if (seq < this.highest) {
      this.reordered += 1;
    }
    this.highest = Math.max(this.highest, seq);
  }

  /** The history was read up to there, after the connection had joined: it owes what comes later. */
  catchUp(lastSeq: number): void {
    this.#from = Math.min(this.#from ?? lastSeq + 1, lastSeq + 1);
  }

  /**
   * Messages up to `until` that were not heard.
   *
   * @param own its own, which it is not sent
   */
  lost(until: number, own: Pick<SeqSet, 'has'>): number {
    let lost = 0;
    for (let seq = this.#from ?? until + 1; seq <= until; seq += 1) {
      lost += Number(!this.#seen.has(seq) && !own.has(seq));
    }
    return lost;
  }
}
