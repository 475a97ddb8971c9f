/**
 * Lets several stores share one connection and still have a `close` each: the last one that is
 * closed closes the connection.
 *
 * @returns as many functions as there are stores; each can be called again.
 */
export function shareConnection<const Names extends readonly string[]>(
  stores: Names,
  close: () => Promise<void>,
): Record<Names[number], () => Promise<void>> {
  const open = new Set<string>(stores);
  let closed: Promise<void> | undefined;
  const closers = stores.map((store) => [
    store,
    async () => {
      open.delete(store);
      if (open.size === 0) {
        closed ??= close();
        await closed;
      }
    },
  ]);
  return Object.fromEntries(closers);
}
