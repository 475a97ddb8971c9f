/**
 * Tells when a browser's page becomes visible again and when the device comes back to the network.
 * Gives a function that stops it; does nothing where there are no pages.
 */
export function watchPage(hints: { onVisible: () => void; onNetwork: () => void }): () => void {
  if (typeof document === 'undefined') {
    return () => {};
  }
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') {
        hints.onVisible();
      }
    },
    { signal },
  );
  // A page that comes back out of the back-forward cache.
  globalThis.addEventListener('pageshow', () => hints.onVisible(), { signal });
  globalThis.addEventListener('online', () => hints.onNetwork(), { signal });
  return () => stop.abort();
}
