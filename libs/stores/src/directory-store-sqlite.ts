import type { UserId } from '@bambochat/protocol';
import { directKey } from './direct-key.ts';
import type {
  Account,
  ConversationRecord,
  DirectoryStore,
  Membership,
  Profile,
  Session,
} from './directory-store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const profileColumns = `id AS _id, display_name AS displayName, bio, avatar,
  created_at AS createdAt`;
const accountColumns = `${profileColumns}, email, password_hash AS passwordHash,
  is_verified AS isVerified`;
const sessionColumns = `id AS _id, user_id AS userId, current_token AS currentToken,
  created_at AS createdAt, expires_at AS expiresAt`;
const conversationColumns = `id AS _id, type, name, created_at AS createdAt,
  updated_at AS updatedAt`;
const membershipColumns = `conversation_id AS conversationId, user_id AS userId, role,
  joined_at AS joinedAt, read_seq AS readSeq`;

/** Shared with the test that asks SQLite how it answers them. */
export const directoryQueries = {
  account: `SELECT ${accountColumns} FROM users WHERE id = ?`,
  profile: `SELECT ${profileColumns} FROM users WHERE id = ?`,
  search: `SELECT ${profileColumns} FROM users WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
  session: `SELECT ${sessionColumns} FROM sessions WHERE id = ? AND expires_at > ?`,
  conversation: `SELECT ${conversationColumns} FROM conversations WHERE id = ?`,
  direct: `SELECT ${conversationColumns} FROM conversations WHERE direct_key = ?`,
  membership: `SELECT ${membershipColumns} FROM memberships
    WHERE conversation_id = ? AND user_id = ?`,
  membershipsOf: `SELECT ${membershipColumns} FROM memberships WHERE user_id = ?
    ORDER BY joined_at DESC, conversation_id DESC LIMIT ?`,
  participantsOf: `SELECT ${membershipColumns} FROM memberships WHERE conversation_id = ?
    ORDER BY joined_at, position, user_id LIMIT ?`,
  countParticipants: 'SELECT count(*) AS count FROM memberships WHERE conversation_id = ?',
} as const;

// `ON CONFLICT DO NOTHING` everywhere: what is taken is an outcome and not an error.
const changes = {
  createAccount: `INSERT INTO users (id, email, email_lower, password_hash, display_name, bio,
    avatar, is_verified, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  updateProfile: `UPDATE users
    SET display_name = coalesce(?, display_name), bio = coalesce(?, bio)
    WHERE id = ? RETURNING ${accountColumns}`,
  createSession: `INSERT INTO sessions (id, user_id, current_token, created_at, expires_at)
    VALUES (?, ?, ?, ?, ?)`,
  // Bounded, so that no login pays for a long backlog.
  deleteExpired: `DELETE FROM sessions WHERE id IN
    (SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT 100)`,
  rotateSession: `UPDATE sessions SET current_token = ?, expires_at = ?
    WHERE id = ? AND current_token = ? AND expires_at > ?`,
  revokeSession: 'DELETE FROM sessions WHERE id = ? AND expires_at > ?',
  createConversation: `INSERT INTO conversations
    (id, type, name, direct_key, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  touch: 'UPDATE conversations SET updated_at = ?1 WHERE id = ?2 AND updated_at < ?1',
  addMember: `INSERT INTO memberships
    (conversation_id, user_id, role, joined_at, read_seq, position) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  removeMember: 'DELETE FROM memberships WHERE conversation_id = ? AND user_id = ?',
  markRead: `UPDATE memberships SET read_seq = ?3
    WHERE conversation_id = ?1 AND user_id = ?2 AND read_seq < ?3`,
  setRole: 'UPDATE memberships SET role = ? WHERE conversation_id = ? AND user_id = ?',
} as const;

/** The directory in a SQLite file. `close` is what to do when this store is no longer used. */
export function createSqliteDirectoryStore(
  database: SqliteDatabase,
  close: () => Promise<void>,
): DirectoryStore {
  type Value = string | number | null;

  // STRICT tables guarantee the columns' types, whoever wrote the row guarantees the brands.
  function first<Row>(sql: string, ...values: Value[]): Row | null {
    return database.read(() => (database.prepare(sql).get(...values) as Row | undefined) ?? null);
  }
  function list<Row>(sql: string, ...values: Value[]): Row[] {
    return database.read(() => database.prepare(sql).all(...values) as Row[]);
  }
  /** One statement per key: in this process a look-up costs microseconds and no round trip. */
  function listById<Row>(sql: string, ids: readonly string[]): Row[] {
    return database.read(() => {
      const statement = database.prepare(sql);
      return ids.flatMap((id) => {
        const row = statement.get(id) as Row | undefined;
        return row ? [row] : [];
      });
    });
  }
  /** @returns whether a row changed. */
  function change(sql: string, ...values: Value[]): boolean {
    return database.prepare(sql).run(...values).changes > 0;
  }

  function addConversation(conversation: ConversationRecord, key: string | null): boolean {
    const { _id, type, name, createdAt, updatedAt } = conversation;
    return change(changes.createConversation, _id, type, name, key, createdAt, updatedAt);
  }
  function addMember(membership: Membership, position: number): boolean {
    const { conversationId, userId, role, joinedAt, readSeq } = membership;
    return change(changes.addMember, conversationId, userId, role, joinedAt, readSeq, position);
  }

  return {
    createAccount(account) {
      return database.write(() =>
        change(
          changes.createAccount,
          account._id,
          account.email,
          account.email.toLowerCase(),
          account.passwordHash,
          account.displayName,
          account.bio,
          account.avatar,
          account.isVerified ? 1 : 0,
          account.createdAt,
        ),
      );
    },
    async account(userId) {
      return accountOf(first<AccountRow>(directoryQueries.account, userId));
    },
    async profiles(userIds) {
      return listById<Profile>(directoryQueries.profile, userIds).map((row) => ({ ...row }));
    },
    async searchProfiles(prefix, limit) {
      if (limit < 1) {
        return [];
      }
      // The last code point there is sorts behind everything that can follow the prefix.
      const rows = list<Profile>(directoryQueries.search, prefix, `${prefix}\u{10ffff}`, limit);
      return rows.map((row) => ({ ...row }));
    },
    async updateProfile(userId, { displayName, bio }) {
      return database.write(() => {
        const statement = database.prepare(changes.updateProfile);
        const row = statement.get(displayName ?? null, bio ?? null, userId);
        return accountOf((row as unknown as AccountRow | undefined) ?? null);
      });
    },

    async createSession({ _id, userId, currentToken, createdAt, expiresAt }) {
      await database.write(() => {
        change(changes.deleteExpired, now());
        change(changes.createSession, _id, userId, currentToken, createdAt, expiresAt);
      });
    },
    async session(sessionId) {
      const row = first<Session>(directoryQueries.session, sessionId, now());
      return row && { ...row };
    },
    rotateSession(sessionId, expected, next, expiresAt) {
      return database.write(() =>
        change(changes.rotateSession, next, expiresAt, sessionId, expected, now()),
      );
    },
    revokeSession(sessionId) {
      return database.write(() => change(changes.revokeSession, sessionId, now()));
    },

    async createGroup(conversation, participants) {
      await database.write(() => {
        addConversation(conversation, null);
        participants.forEach(addMember);
      });
    },
    openDirect(conversation, participants) {
      const key = directKey(participants);
      return database.write(() => {
        const created = addConversation(conversation, key);
        const row = database.prepare(directoryQueries.direct).get(key);
        if (!row) {
          throw new Error('The id of a direct conversation is taken by another conversation');
        }
        const stored = { ...row } as unknown as ConversationRecord;
        participants.forEach((participant, position) => {
          addMember({ ...participant, conversationId: stored._id }, position);
        });
        return { conversation: stored, created };
      });
    },
    async conversation(conversationId) {
      const row = first<ConversationRecord>(directoryQueries.conversation, conversationId);
      return row && { ...row };
    },
    async conversations(conversationIds) {
      const ids = [...new Set(conversationIds)];
      const rows = listById<ConversationRecord>(directoryQueries.conversation, ids);
      return rows.map((row) => ({ ...row }));
    },
    async touchConversation(conversationId, updatedAt) {
      await database.write(() => change(changes.touch, updatedAt, conversationId));
    },

    async areMembers(pairs) {
      return database.read(() => {
        const statement = database.prepare(directoryQueries.membership);
        return pairs.map(
          ({ conversationId, userId }) => statement.get(conversationId, userId) !== undefined,
        );
      });
    },
    async membershipsOf(userId, limit) {
      if (limit < 1) {
        return [];
      }
      const rows = list<Membership>(directoryQueries.membershipsOf, userId, limit);
      return rows.map((row) => ({ ...row }));
    },
    async participantsOf(conversationId, limit) {
      if (limit < 1) {
        return [];
      }
      const rows = list<Membership>(directoryQueries.participantsOf, conversationId, limit);
      return rows.map((row) => ({ ...row }));
    },
    async countParticipants(conversationId) {
      const row = first<{ count: number }>(directoryQueries.countParticipants, conversationId);
      return row?.count ?? 0;
    },
    async membership(conversationId, userId) {
      const row = first<Membership>(directoryQueries.membership, conversationId, userId);
      return row && { ...row };
    },
    async memberships(pairs) {
      return database.read(() => {
        const statement = database.prepare(directoryQueries.membership);
        const wanted = new Map(
          pairs.map((pair) => [`${pair.conversationId}:${pair.userId}`, pair] as const),
        );
        return [...wanted.values()].flatMap(({ conversationId, userId }) => {
          const row = statement.get(conversationId, userId) as Membership | undefined;
          return row ? [{ ...row }] : [];
        });
      });
    },
    markRead(conversationId, userId, seq) {
      return database.write(() => {
        const moved = change(changes.markRead, conversationId, userId, seq);
        const row = database.prepare(directoryQueries.membership).get(conversationId, userId) as
          | Membership
          | undefined;
        return row ? { moved, readSeq: row.readSeq } : null;
      });
    },
    addParticipants(participants) {
      return database.write(() => {
        const added: UserId[] = [];
        participants.forEach((participant, position) => {
          if (addMember(participant, position)) {
            added.push(participant.userId);
          }
        });
        return added;
      });
    },
    removeParticipant(conversationId, userId) {
      return database.write(() => change(changes.removeMember, conversationId, userId));
    },
    async setRole(conversationId, userId, role) {
      await database.write(() => change(changes.setRole, role, conversationId, userId));
    },

    async check() {
      database.read(() => database.prepare('SELECT 1 FROM users LIMIT 1').get());
    },
    close,
  };
}

type AccountRow = Omit<Account, 'isVerified'> & { isVerified: number };

function accountOf(row: AccountRow | null): Account | null {
  return row && { ...row, isVerified: row.isVerified === 1 };
}

function now(): string {
  return new Date().toISOString();
}
