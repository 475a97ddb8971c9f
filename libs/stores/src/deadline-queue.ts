interface Entry<Id> {
  readonly id: Id;
  deadline: number;
}

/**
 * Ids by deadline, and by id where deadlines are equal: what a sorted set is in Redis. A binary heap
 * that knows where each id is; all but the constant methods take logarithmic time.
 */
export class DeadlineQueue<Id extends string> {
  readonly #heap: Entry<Id>[] = [];
  readonly #places = new Map<Id, number>();

  get size(): number {
    return this.#heap.length;
  }

  has(id: Id): boolean {
    return this.#places.has(id);
  }

  /** Adds it or moves it. */
  set(id: Id, deadline: number): void {
    const place = this.#places.get(id) ?? this.#heap.length;
    const entry = { id, deadline };
    this.#put(entry, place);
    this.#sinkFrom(this.#riseFrom(place));
  }

  delete(id: Id): void {
    const place = this.#places.get(id);
    if (place === undefined) {
      return;
    }
    this.#places.delete(id);
    const last = this.#heap.pop();
    if (last && last.id !== id) {
      this.#put(last, place);
      this.#sinkFrom(this.#riseFrom(place));
    }
  }

  /** The first one, if its deadline is not after `time`. */
  due(time: number): { readonly id: Id; readonly deadline: number } | undefined {
    const first = this.#heap[0];
    return first && first.deadline <= time ? first : undefined;
  }

  #put(entry: Entry<Id>, place: number): void {
    this.#heap[place] = entry;
    this.#places.set(entry.id, place);
  }

  #riseFrom(start: number): number {
    let place = start;
    while (place > 0 && this.#precedes(place, (place - 1) >> 1)) {
      this.#swap(place, (place - 1) >> 1);
      place = (place - 1) >> 1;
    }
    return place;
  }

  #sinkFrom(start: number): void {
    let place = start;
    while (true) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const smaller = this.#precedes(right, left) ? right : left;
      if (!this.#precedes(smaller, place)) {
        return;
      }
      this.#swap(smaller, place);
      place = smaller;
    }
  }

  /** False when there is nothing at the first place. */
  #precedes(first: number, second: number): boolean {
    const [a, b] = [this.#heap[first], this.#heap[second]];
    if (!a || !b) {
      return false;
    }
    return a.deadline < b.deadline || (a.deadline === b.deadline && a.id < b.id);
  }

  #swap(first: number, second: number): void {
    const [a, b] = [this.#heap[first], this.#heap[second]];
    if (a && b) {
      this.#put(a, second);
      this.#put(b, first);
    }
  }
}
