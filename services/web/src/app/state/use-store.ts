import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Store } from './store.ts';

/**
 * What `select` takes out of a store. The component renders again only when that is another value, so
 * select something small, or give `isEqual` for what is made anew each time.
 */
export function useStore<Value, Selected = Value>(
  store: Store<Value>,
  select: (value: Value) => Selected = (value) => value as unknown as Selected,
  isEqual: (one: Selected, other: Selected) => boolean = Object.is,
): Selected {
  const last = useRef<{ selected: Selected } | null>(null);
  const read = useCallback(() => {
    const selected = select(store.get());
    if (last.current !== null && isEqual(last.current.selected, selected)) {
      return last.current.selected;
    }
    last.current = { selected };
    return selected;
  }, [store, select, isEqual]);
  return useSyncExternalStore(store.subscribe, read);
}

export function sameItems<Item>(one: readonly Item[], other: readonly Item[]): boolean {
  return one.length === other.length && one.every((item, index) => Object.is(item, other[index]));
}
