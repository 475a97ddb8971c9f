/**
 * `localStorage` for what is nice to have after a reload. A page that may not store, or whose storage
 * is full, goes on without.
 */
export function remember(key: string, value: unknown): void {
  try {
    if (value === null) {
      localStorage.removeItem(key);
    } else {
      localStorage.setItem(key, JSON.stringify(value));
    }
  } catch {
    // Nothing depends on it.
  }
}

/** What was remembered; null when there is nothing, or nothing that can be read. */
export function recall<Value>(key: string): Value | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : (JSON.parse(text) as Value);
  } catch {
    return null;
  }
}

/** Forgets everything under keys that begin so. */
export function forget(prefix: string): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(prefix)) {
        localStorage.removeItem(key);
      }
    }
  } catch {
    // Nothing was stored, then.
  }
}
