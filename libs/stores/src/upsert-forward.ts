import type { Collection, Document, Filter, UpdateFilter } from 'mongodb';
import { duplicatesOf } from './mongo-errors.ts';

/** `filter` names one `_id` and matches only what is older than `update`. */
export interface ForwardStep<Schema extends Document> {
  readonly filter: Filter<Schema>;
  readonly update: UpdateFilter<Schema>;
}

/**
 * Creates or updates one document with each step, and never turns one back.
 *
 * A document that is there and not older does not match, so the upsert is refused as a duplicate
 * `_id`. So is the upsert of a writer that lost the race to create the document, and that one may be
 * the newer: all that were refused are therefore repeated once as plain updates, of documents that
 * now exist.
 */
export async function upsertForward<Schema extends Document>(
  collection: Collection<Schema>,
  steps: readonly ForwardStep<Schema>[],
): Promise<void> {
  if (steps.length === 0) {
    return;
  }
  try {
    await collection.bulkWrite(
      steps.map((step) => ({ updateOne: { ...step, upsert: true } })),
      { ordered: false },
    );
  } catch (error) {
    const refused = duplicatesOf(error);
    if (!refused) {
      throw error;
    }
    const again = refused.flatMap(({ index }) => steps[index] ?? []);
    await collection.bulkWrite(
      again.map((step) => ({ updateOne: step })),
      { ordered: false },
    );
  }
}
