import type { DirectoryStore } from './directory-store.ts';

/** Two doors to the same data, once the test has opened them. */
export type DirectoryDoors = () => readonly [DirectoryStore, DirectoryStore];

/** Twenty calls at once, through both doors in turn. */
export function twentyAtOnce<Store, T>(
  [store, other]: readonly [Store, Store],
  call: (door: Store, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: 20 }, (_, index) => call(index % 2 ? store : other, index)),
  );
}
