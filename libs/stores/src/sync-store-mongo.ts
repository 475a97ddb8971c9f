import type { ConversationId } from '@bambochat/protocol';
import { Binary } from 'mongodb';
import { inBatches } from './in-batches.ts';
import type { Collections, JournalDocument } from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { isDuplicateKey, speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';
import {
  CHANGES_KEPT,
  type Change,
  changeKey,
  newestChanges,
  PLACES_PER_USER_MAX,
  type SyncStore,
} from './sync-store.ts';
import { untilUncontested } from './until-uncontested.ts';

const read = { maxTimeMS: READ_TIMEOUT };

/** The sync store in MongoDB. `close` is what to do when this store is no longer used. */
export function createMongoSyncStore(
  { journals, places }: Pick<Collections, 'journals' | 'places'>,
  { check, close }: Pick<SyncStore, 'check' | 'close'>,
): SyncStore {
  /**
   * Compare and swap, for no single update of MongoDB gives each change its revision and takes out
   * what it replaces. Read as `local`: if that is ever rolled back, so is what was built on it.
   *
   * @returns undefined when another writer was faster
   */
  async function append(
    conversationId: ConversationId,
    changes: readonly Change[],
  ): Promise<true | undefined> {
    const _id = exactly(conversationId);
    const stored = await journals.findOne({ _id }, { ...read, readConcern: { level: 'local' } });
    const next = appended(
      stored ?? { _id, revision: 0, forgotten: 0, changes: [] },
      changes,
      new Date(),
    );
    if (stored) {
      const { matchedCount } = await journals.replaceOne({ _id, revision: stored.revision }, next);
      return matchedCount === 1 || undefined;
    }
    try {
      await journals.insertOne(next);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) {
        return undefined;
      }
      throw error;
    }
  }

  return {
    appendChanges: (conversationId, list) =>
      speakingToMongo(async () => {
        const changes = newestChanges(list);
        if (changes.length > 0) {
          await untilUncontested(() => append(conversationId, changes));
        }
      }),

    revisions: (conversationIds) =>
      speakingToMongo(async () => {
        const found = await inBatches(conversationIds, (batch) =>
          journals.find({ _id: oneOf(batch) }, { ...read, projection: { revision: 1 } }).toArray(),
        );
        return new Map(found.map(({ _id, revision }) => [_id, revision]));
      }),

    changedAt: (conversationIds) =>
      speakingToMongo(async () => {
        const found = await inBatches(conversationIds, (batch) =>
          journals.find({ _id: oneOf(batch) }, { ...read, projection: { changedAt: 1 } }).toArray(),
        );
        return new Map(
          found.flatMap(({ _id, changedAt }) =>
            changedAt === undefined ? [] : [[_id, changedAt.toISOString()] as const],
          ),
        );
      }),

    changesSince: (conversationId, since) =>
      speakingToMongo(async () => {
        const journal = await journals.findOne({ _id: exactly(conversationId) }, read);
        if (!journal) {
          return { revision: 0, changes: [], complete: true };
        }
        return {
          revision: journal.revision,
          changes: journal.changes
            .filter(({ revision }) => revision > since)
            .map(({ revision: _, ...change }) => change),
          complete: since >= journal.forgotten,
        };
      }),

    savePlace: ({ id, userId, number, bytes, expiresAt }) =>
      speakingToMongo(async () => {
        const slot = number % 2 === 0 ? 'even' : 'odd';
        const update = {
          $set: { [slot]: { number, bytes: new Binary(bytes) }, expiresAt: new Date(expiresAt) },
        };
        const mine = { _id: exactly(id), userId: exactly(userId) };
        const { upsertedCount } = await upsertUnlessTaken(() =>
          places.updateOne(mine, update, { upsert: true }),
        );
        if (upsertedCount === 1) {
          const surplus = await places
            .find({ userId: exactly(userId) }, { ...read, projection: { _id: 1 } })
            .sort({ expiresAt: -1 })
            .skip(PLACES_PER_USER_MAX)
            .toArray();
          if (surplus.length > 0) {
            await places.deleteMany({ _id: oneOf(surplus.map(({ _id }) => _id)) });
          }
        }
      }),

    place: (id, userId, number) =>
      speakingToMongo(async () => {
        const stored = await places.findOne({ _id: exactly(id) }, read);
        const slot = number % 2 === 0 ? stored?.even : stored?.odd;
        if (
          stored?.userId !== userId ||
          stored.expiresAt.getTime() <= Date.now() ||
          slot?.number !== number
        ) {
          return null;
        }
        const bytes = new Uint8Array(slot.bytes.value());
        return { id, userId, number, bytes, expiresAt: stored.expiresAt.toISOString() };
      }),

    check,
    close,
  };
}

/** An id that is another user's is refused as a duplicate, and nothing is written. */
async function upsertUnlessTaken(
  upsert: () => Promise<{ upsertedCount: number }>,
): Promise<{ upsertedCount: number }> {
  try {
    return await upsert();
  } catch (error) {
    if (isDuplicateKey(error)) {
      return { upsertedCount: 0 };
    }
    throw error;
  }
}

function appended(
  journal: JournalDocument,
  changes: readonly Change[],
  changedAt: Date,
): JournalDocument {
  const replaced = new Set(changes.map(changeKey));
  const all = [
    ...journal.changes.filter((entry) => !replaced.has(changeKey(entry))),
    ...changes.map((change, index) => ({ ...change, revision: journal.revision + index + 1 })),
  ];
  const surplus = all.slice(0, Math.max(0, all.length - CHANGES_KEPT));
  return {
    _id: journal._id,
    revision: journal.revision + changes.length,
    changedAt,
    forgotten: surplus.at(-1)?.revision ?? journal.forgotten,
    changes: all.slice(surplus.length),
  };
}
