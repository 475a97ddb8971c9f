import type { UserId } from '@bambochat/protocol';
import { inBatches } from './in-batches.ts';
import type { AliveDocument, Collections, StatusDocument } from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { isDuplicateKey, speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';
import type { StatusStore, UserStatus } from './status-store.ts';
import { upsertForward } from './upsert-forward.ts';

const read = { maxTimeMS: READ_TIMEOUT };
const alive: Pick<AliveDocument, '_id'> = { _id: 'alive' };

/** Statuses in MongoDB. `close` is what to do when this store is no longer used. */
export function createMongoStatusStore(
  { statuses, presence }: Pick<Collections, 'statuses' | 'presence'>,
  { check, close }: Pick<StatusStore, 'check' | 'close'>,
): StatusStore {
  return {
    record: (list) =>
      speakingToMongo(() =>
        upsertForward(
          statuses,
          list.map((status) => ({
            filter: { _id: exactly(status.userId), changedAt: { $lt: status.changedAt } },
            update: { $set: fieldsOf(status) },
          })),
        ),
      ),

    statusesOf: (userIds) =>
      speakingToMongo(async () => {
        const found = await inBatches(userIds, (batch) =>
          statuses.find({ _id: oneOf(batch) }, read).toArray(),
        );
        return new Map(found.map((document) => [document._id, statusOf(document)]));
      }),

    onlineUsers: (after, limit) =>
      speakingToMongo(async () => {
        // To MongoDB, a limit of 0 would mean no limit.
        if (limit < 1) {
          return [];
        }
        const from = exactly(after ?? '') as UserId;
        const found = await statuses
          .find({ online: true, _id: { $gt: from } }, { ...read, projection: { _id: 1 } })
          .sort({ _id: 1 })
          .limit(limit)
          .toArray();
        return found.map(({ _id }) => _id);
      }),

    recordAlive: (at) =>
      speakingToMongo(async () => {
        const update = { $max: { at: new Date(at) } };
        try {
          await presence.updateOne(alive, update, { upsert: true });
        } catch (error) {
          if (!isDuplicateKey(error)) {
            throw error;
          }
          // Another has just created it.
          await presence.updateOne(alive, update);
        }
      }),

    lastAlive: () =>
      speakingToMongo(async () => {
        const document = await presence.findOne(alive, read);
        return document?.at.toISOString() ?? null;
      }),

    check,
    close,
  };
}

function fieldsOf({ online, lastSeenAt, changedAt }: UserStatus): Omit<StatusDocument, '_id'> {
  return { online, lastSeenAt: new Date(lastSeenAt), changedAt };
}

function statusOf({ _id, online, lastSeenAt, changedAt }: StatusDocument): UserStatus {
  return { userId: _id, online, lastSeenAt: lastSeenAt.toISOString(), changedAt };
}
