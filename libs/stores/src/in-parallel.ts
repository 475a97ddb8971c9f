/**
 * Does `work` for every item, at most `limit` at once. Results in the order of the items. After a
 * failure no further work begins; rejects with the first failure.
 */
export async function inParallel<Item, Result>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  let failed = false;
  async function takeTurns(): Promise<void> {
    for (const [index, item] of queue) {
      if (failed) {
        return;
      }
      try {
        results[index] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, takeTurns));
  return results;
}
