import { inParallel } from './in-parallel.ts';

/** Keys in one query. */
const BATCH = 25;
const BATCHES_AT_ONCE = 8;

/**
 * Looks many keys up, each once, a batch of them with each query. Small ones, so that no answer
 * becomes long enough to run into the limit of time for a read, and because a server may compare
 * what it finds with every key of the query, as the stand-in of the tests does.
 */
export async function inBatches<Key, Found>(
  keys: Iterable<Key>,
  find: (batch: Key[]) => Promise<Found[]>,
): Promise<Found[]> {
  const distinct = [...new Set(keys)];
  const batches = Array.from({ length: Math.ceil(distinct.length / BATCH) }, (_, index) =>
    distinct.slice(index * BATCH, (index + 1) * BATCH),
  );
  return (await inParallel(BATCHES_AT_ONCE, batches, find)).flat();
}
