/** More messages than any run sends to one conversation; a larger `seq` is an answer gone wrong. */
const SEQ_MAX = 50_000_000;

/** A set of `seq`, a bit each. */
export class SeqSet {
  #bits: Uint8Array;
  #size = 0;

  constructor(bits: Uint8Array = new Uint8Array(8)) {
    this.#bits = bits;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Whether it was new.
   *
   * @throws Error when it is no `seq` at all
   */
  add(seq: number): boolean {
    if (!Number.isInteger(seq) || seq < 1 || seq > SEQ_MAX) {
      throw new Error(`The server gave a message the seq ${seq}`);
    }
    const [index, bit] = [seq >> 3, 1 << (seq & 7)];
    if (index >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(index + 1, 2 * this.#bits.length));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    const byte = this.#bits[index] ?? 0;
    if ((byte & bit) !== 0) {
      return false;
    }
    this.#bits[index] = byte | bit;
    this.#size += 1;
    return true;
  }

  has(seq: number): boolean {
    return ((this.#bits[seq >> 3] ?? 0) & (1 << (seq & 7))) !== 0;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [index, byte] of this.#bits.entries()) {
      for (let bit = 0; byte >> bit !== 0; bit += 1) {
        if (((byte >> bit) & 1) === 1) {
          yield index * 8 + bit;
        }
      }
    }
  }

  /** For another process, as base64. */
  encode(): string {
    return Buffer.from(this.#bits).toString('base64');
  }

  static decode(text: string): Iterable<number> {
    return new SeqSet(Buffer.from(text, 'base64'));
  }
}
