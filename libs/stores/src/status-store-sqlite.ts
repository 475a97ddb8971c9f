import type { UserId } from '@bambochat/protocol';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { StatusStore, UserStatus } from './status-store.ts';

/** Shared with the test that asks SQLite how it answers them. */
export const statusQueries = {
  status: `SELECT user_id AS userId, online, last_seen_at AS lastSeenAt, changed_at AS changedAt
    FROM statuses WHERE user_id = ?`,
  online: `SELECT user_id AS userId FROM statuses WHERE online = 1 AND user_id > ?
    ORDER BY user_id LIMIT ?`,
  alive: 'SELECT at FROM alive WHERE id = 1',
} as const;

const record = `INSERT INTO statuses (user_id, online, last_seen_at, changed_at)
  VALUES (?, ?, ?, ?)
  ON CONFLICT (user_id) DO UPDATE SET
    online = excluded.online,
    last_seen_at = excluded.last_seen_at,
    changed_at = excluded.changed_at
  WHERE excluded.changed_at > statuses.changed_at`;

const recordAlive = `INSERT INTO alive (id, at) VALUES (1, ?)
  ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE excluded.at > alive.at`;

/** Statuses in a SQLite file. `close` is what to do when this store is no longer used. */
export function createSqliteStatusStore(
  database: SqliteDatabase,
  close: () => Promise<void>,
): StatusStore {
  return {
    async record(statuses) {
      await database.write(() => {
        const statement = database.prepare(record);
        for (const { userId, online, lastSeenAt, changedAt } of statuses) {
          statement.run(userId, online ? 1 : 0, lastSeenAt, changedAt);
        }
      });
    },

    async statusesOf(userIds) {
      return database.read(() => {
        const statement = database.prepare(statusQueries.status);
        const found = new Map<UserId, UserStatus>();
        for (const userId of userIds) {
          const row = statement.get(userId) as unknown as StatusRow | undefined;
          if (row) {
            found.set(userId, { ...row, online: row.online === 1 });
          }
        }
        return found;
      });
    },

    async onlineUsers(after, limit) {
      // To SQLite, a negative limit would mean no limit.
      if (limit < 1) {
        return [];
      }
      return database.read(() =>
        database
          .prepare(statusQueries.online)
          .all(after ?? '', limit)
          .map(({ userId }) => userId as UserId),
      );
    },

    async recordAlive(at) {
      await database.write(() => database.prepare(recordAlive).run(at));
    },

    async lastAlive() {
      return database.read(() => {
        const row = database.prepare(statusQueries.alive).get();
        return row ? String(row.at) : null;
      });
    },

    async check() {
      database.read(() => database.prepare('SELECT 1 FROM statuses LIMIT 1').get());
    },
    close,
  };
}

// STRICT tables guarantee the columns' types, whoever wrote the row guarantees the brands.
type StatusRow = Omit<UserStatus, 'online'> & { online: number };
