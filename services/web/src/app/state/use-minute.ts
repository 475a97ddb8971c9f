import { useSyncExternalStore } from 'react';

const EVERY = 30_000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, EVERY);
  return () => clearInterval(timer);
}

const read = () => Math.floor(Date.now() / EVERY) * EVERY;

/** The time, as exact as relative times need it: changes every half minute. Milliseconds. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, read);
}
