/** Gives what runs `action` once at the end of the present task, however often it is asked for. */
export function runSoon(action: () => void): () => void {
  let isPlanned = false;
  return () => {
    if (!isPlanned) {
      isPlanned = true;
      queueMicrotask(() => {
        isPlanned = false;
        action();
      });
    }
  };
}
