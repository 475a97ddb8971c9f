import type { RestClient } from '@bambochat/client';
import { Store } from '../state/store.ts';

/** A user, as far as anything has told of them. */
export interface Person {
  readonly _id: string;
  readonly displayName: string;
  readonly bio?: string;
}

/** Looked up one by one; beyond, ids are shown. */
const LOOKED_UP_MAX = 20;

/** Names by id, from wherever they were seen. */
export class People {
  readonly store = new Store<ReadonlyMap<string, Person>>(new Map());
  readonly userId: string;

  constructor(userId: string) {
    this.userId = userId;
  }

  learn(people: Iterable<Person>): void {
    const known = this.store.get();
    let next: Map<string, Person> | null = null;
    for (const { _id, displayName, bio } of people) {
      const before = (next ?? known).get(_id);
      if (before?.displayName !== displayName || (bio !== undefined && before.bio !== bio)) {
        next ??= new Map(known);
        next.set(_id, { ...before, _id, displayName, ...(bio === undefined ? {} : { bio }) });
      }
    }
    if (next !== null) {
      this.store.set(next);
    }
  }

  /** Asks for those whose names nothing has told yet. @throws ChatError */
  async lookUp(rest: Pick<RestClient, 'searchUsers'>, userIds: readonly string[]): Promise<void> {
    const unknown = [...new Set(userIds)].filter((id) => !this.store.get().has(id));
    for (const id of unknown.slice(0, LOOKED_UP_MAX)) {
      this.learn((await rest.searchUsers(id)).filter(({ _id }) => _id === id));
    }
  }

  nameOf(userId: string): string {
    return this.store.get().get(userId)?.displayName ?? userId;
  }
}
