import type { ConversationId, UserId } from '@bambochat/protocol';
import type { SqliteDatabase } from './sqlite-database.ts';
import {
  CHANGES_KEPT,
  type Change,
  changeKey,
  newestChanges,
  PLACES_PER_USER_MAX,
  type SyncStore,
} from './sync-store.ts';

/** Shared with the test that asks SQLite how it answers them. */
export const syncQueries = {
  journal: 'SELECT revision, forgotten FROM journals WHERE conversation_id = ?',
  changedAt: 'SELECT changed_at AS changedAt FROM journals WHERE conversation_id = ?',
  changesSince: `SELECT change FROM changes WHERE conversation_id = ? AND revision > ?
    ORDER BY revision`,
  place: `SELECT bytes, expires_at AS expiresAt FROM places
    WHERE id = ? AND parity = ? AND number = ? AND user_id = ? AND expires_at > ?`,
  foreignPlace: 'SELECT 1 FROM places WHERE id = ? AND user_id <> ?',
  surplus: `SELECT revision FROM changes WHERE conversation_id = ?
    ORDER BY revision DESC LIMIT 1 OFFSET ${CHANGES_KEPT}`,
} as const;

const statements = {
  advance: `INSERT INTO journals (conversation_id, revision, forgotten, changed_at)
    VALUES (?1, ?2, 0, ?3) ON CONFLICT (conversation_id) DO UPDATE
    SET revision = revision + ?2, changed_at = ?3 RETURNING revision`,
  put: `INSERT INTO changes (conversation_id, thing, revision, change) VALUES (?, ?, ?, ?)
    ON CONFLICT (conversation_id, thing) DO UPDATE
    SET revision = excluded.revision, change = excluded.change`,
  drop: 'DELETE FROM changes WHERE conversation_id = ? AND revision <= ?',
  forget: 'UPDATE journals SET forgotten = ?2 WHERE conversation_id = ?1',
  savePlace: `INSERT INTO places (id, parity, number, user_id, bytes, expires_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id, parity) DO UPDATE SET number = excluded.number, bytes = excluded.bytes,
    expires_at = excluded.expires_at`,
  prolong: 'UPDATE places SET expires_at = ? WHERE id = ?',
  // Bounded, so that no call pays for a long backlog.
  dropExpired: `DELETE FROM places WHERE (id, parity) IN
    (SELECT id, parity FROM places WHERE expires_at <= ? ORDER BY expires_at LIMIT 100)`,
  dropSurplus: `DELETE FROM places WHERE id IN
    (SELECT id FROM places WHERE user_id = ?1 GROUP BY id
     ORDER BY max(expires_at) DESC, id LIMIT -1 OFFSET ${PLACES_PER_USER_MAX})`,
} as const;

/** The sync store in a SQLite file. `close` is what to do when this store is no longer used. */
export function createSqliteSyncStore(
  database: SqliteDatabase,
  close: () => Promise<void>,
): SyncStore {
  function journalOf(conversationId: ConversationId): { revision: number; forgotten: number } {
    const row = database.prepare(syncQueries.journal).get(conversationId);
    return { revision: Number(row?.revision ?? 0), forgotten: Number(row?.forgotten ?? 0) };
  }

  function forgetSurplus(conversationId: ConversationId): void {
    const row = database.prepare(syncQueries.surplus).get(conversationId);
    if (row) {
      const newest = Number(row.revision);
      database.prepare(statements.drop).run(conversationId, newest);
      database.prepare(statements.forget).run(conversationId, newest);
    }
  }

  return {
    async appendChanges(conversationId, list) {
      const changes = newestChanges(list);
      if (changes.length === 0) {
        return;
      }
      await database.write(() => {
        const advanced = database
          .prepare(statements.advance)
          .get(conversationId, changes.length, new Date().toISOString());
        const first = Number(advanced?.revision) - changes.length + 1;
        const put = database.prepare(statements.put);
        for (const [index, change] of changes.entries()) {
          put.run(conversationId, changeKey(change), first + index, JSON.stringify(change));
        }
        forgetSurplus(conversationId);
      });
    },

    async revisions(conversationIds) {
      return database.read(() => {
        const revisions = new Map<ConversationId, number>();
        for (const conversationId of conversationIds) {
          const { revision } = journalOf(conversationId);
          if (revision > 0) {
            revisions.set(conversationId, revision);
          }
        }
        return revisions;
      });
    },

    async changedAt(conversationIds) {
      return database.read(() => {
        const statement = database.prepare(syncQueries.changedAt);
        const times = new Map<ConversationId, string>();
        for (const conversationId of conversationIds) {
          const time = statement.get(conversationId)?.changedAt;
          if (typeof time === 'string') {
            times.set(conversationId, time);
          }
        }
        return times;
      });
    },

    async changesSince(conversationId, since) {
      return database.read(() => {
        const { revision, forgotten } = journalOf(conversationId);
        const rows = database.prepare(syncQueries.changesSince).all(conversationId, since);
        const changes = rows.map(({ change }) => JSON.parse(String(change)) as Change);
        return { revision, changes, complete: since >= forgotten };
      });
    },

    async savePlace({ id, userId, number, bytes, expiresAt }) {
      await database.write(() => {
        if (database.prepare(syncQueries.foreignPlace).get(id, userId)) {
          return;
        }
        database.prepare(statements.dropExpired).run(new Date().toISOString());
        database
          .prepare(statements.savePlace)
          .run(id, number % 2, number, userId, bytes, expiresAt);
        database.prepare(statements.prolong).run(expiresAt, id);
        database.prepare(statements.dropSurplus).run(userId);
      });
    },

    async place(id, userId: UserId, number) {
      return database.read(() => {
        const now = new Date().toISOString();
        const row = database.prepare(syncQueries.place).get(id, number % 2, number, userId, now) as
          | { bytes: Uint8Array; expiresAt: string }
          | undefined;
        return row ? { id, userId, number, bytes: row.bytes, expiresAt: row.expiresAt } : null;
      });
    },

    async check() {
      database.read(() => database.prepare('SELECT 1 FROM journals LIMIT 1').get());
    },
    close,
  };
}
