/** What one socket has received of one conversation: which `seq`, and in which order. */
export class DeliveryCheck {
  duplicated = 0;
  reordered = 0;
  /** Different messages. */
  received = 0;
  #highest = 0;
  /** A bit for each `seq`. */
  #seen = new Uint8Array(16);

  /** A message came. */
  take(seq: number): void {
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

  has(seq: number): boolean {
    return ((this.#seen[seq >> 3] ?? 0) & (1 << (seq & 7))) !== 0;
  }
}

/** A confirmed message and a receiver who heard nothing of it, counted over a conversation. */
export function countLost(check: DeliveryCheck, stored: number, own: ReadonlySet<number>): number {
  let lost = 0;
  for (let seq = 1; seq <= stored; seq += 1) {
    lost += Number(!check.has(seq) && !own.has(seq));
  }
  return lost;
}
