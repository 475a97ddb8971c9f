import type { RosterEntry, UserId } from '@bambochat/protocol';

interface Part {
  readonly hashes: Map<UserId, number>;
  sum: number;
}

/** The users of one gateway in parts, with the sums by which gateway and store compare them. */
export class Roster {
  readonly #parts = new Map<number, Part>();
  #users = 0;
  #sum = 0;

  get users(): number {
    return this.#users;
  }

  get sum(): number {
    return this.#sum;
  }

  /** The sum of every part that holds users, by bucket. */
  sums(): [bucket: number, sum: number][] {
    return [...this.#parts]
      .map(([bucket, { sum }]): [number, number] => [bucket, sum])
      .sort(([one], [other]) => one - other);
  }

  add(bucket: number, userId: UserId, hash: number): void {
    const part = this.#parts.get(bucket) ?? { hashes: new Map(), sum: 0 };
    if (!part.hashes.has(userId)) {
      part.hashes.set(userId, hash);
      part.sum += hash;
      this.#users += 1;
      this.#sum += hash;
      this.#parts.set(bucket, part);
    }
  }

  remove(bucket: number, userId: UserId): void {
    const part = this.#parts.get(bucket);
    const hash = part?.hashes.get(userId);
    if (!part || hash === undefined) {
      return;
    }
    part.hashes.delete(userId);
    part.sum -= hash;
    this.#users -= 1;
    this.#sum -= hash;
    if (part.hashes.size === 0) {
      this.#parts.delete(bucket);
    }
  }

  /** @returns who was in that part and is not among `users`. */
  replace(bucket: number, users: readonly RosterEntry[]): UserId[] {
    const before = [...(this.#parts.get(bucket)?.hashes.keys() ?? [])];
    for (const userId of before) {
      this.remove(bucket, userId);
    }
    const listed = new Set<UserId>();
    for (const [userId, hash] of users) {
      this.add(bucket, userId, hash);
      listed.add(userId);
    }
    return before.filter((userId) => !listed.has(userId));
  }

  /** Removes up to `limit` users, and says whom. */
  take(limit: number): UserId[] {
    const taken: UserId[] = [];
    for (const [bucket, { hashes }] of this.#parts) {
      for (const userId of hashes.keys()) {
        if (taken.length === limit) {
          return taken;
        }
        this.remove(bucket, userId);
        taken.push(userId);
      }
    }
    return taken;
  }
}
