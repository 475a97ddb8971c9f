/**
 * What one socket has received of one conversation: which `seq`, and in which order. From the first
 * message on for a socket that was there before it, from the first one that it heard for a socket
 * that has come back: what came in between is for the history.
 */
export class DeliveryCheck {
  duplicated = 0;
  reordered = 0;
  /** Different messages. */
  received = 0;
  #from: number | null;
  #highest = 0;
  /** A bit for each `seq`. */
  #seen = new Uint8Array(16);

  constructor(options: { cameBack: boolean }) {
    this.#from = options.cameBack ? null : 1;
  }

  /** A message came. */
  take(seq: number): void {
    this.#from ??= seq;
    const [index, bit] = [seq >> 3, 1 << (seq & 7)];
    if (index >= this.#seen.length) {
      const larger = new Uint8Array(Math.max(index + 1, 2 * this.#seen.length));
      larger.set(this.#seen);
      this.#seen = larger;
    }
    const byte = this.#seen[index] ?? 0;
    if ((byte & bit) !== 0) {
      this.duplicated += 1;
      return;
    }
    this.#seen[index] = byte | bit;
    this.received += 1;
    if (seq < this.#highest) {
      this.reordered += 1;
    }
    this.#highest = Math.max(this.#highest, seq);
  }

  /**
   * Messages that are stored and were not heard.
   *
   * @param own its own, which it is not sent
   */
  lost(stored: number, own: ReadonlySet<number>): number {
    let lost = 0;
    for (let seq = this.#from ?? stored + 1; seq <= stored; seq += 1) {
      lost += Number(!this.#has(seq) && !own.has(seq));
    }
    return lost;
  }

  #has(seq: number): boolean {
    return ((this.#seen[seq >> 3] ?? 0) & (1 << (seq & 7))) !== 0;
  }
}
