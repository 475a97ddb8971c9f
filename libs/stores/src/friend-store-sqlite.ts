import type { Friendship, FriendshipId, UserId } from '@bambochat/protocol';
import type { FriendPage, FriendStore } from './friend-store.ts';
import {
  answer,
  block,
  blocked,
  type PairRecord,
  pairOf,
  remove,
  request,
  requestTo,
  type Step,
  unblock,
} from './friendship-rules.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const columns = `id AS _id, requester_id AS requesterId, addressee_id AS addresseeId, status,
  created_at AS createdAt`;
const blockColumns = `id AS _id, blocker_id AS requesterId, blocked_id AS addresseeId,
  'blocked' AS status, created_at AS createdAt`;

/** Shared with the test that asks SQLite how it answers them. */
export const friendQueries = {
  ofPair: `SELECT ${columns} FROM friendships WHERE pair = ?`,
  requestTo: `SELECT ${columns} FROM friendships WHERE id = ? AND addressee_id = ?`,
  block: `SELECT ${blockColumns} FROM blocks WHERE blocker_id = ? AND blocked_id = ?`,
  friendsAsked: `SELECT addressee_id AS friend FROM friendships
    WHERE status = 'accepted' AND requester_id = ?`,
  friendsAsking: `SELECT requester_id AS friend FROM friendships
    WHERE status = 'accepted' AND addressee_id = ?`,
  countAsked: `SELECT count(*) AS count FROM friendships
    WHERE status IN ('accepted', 'pending') AND requester_id = ?`,
  countAsking: `SELECT count(*) AS count FROM friendships
    WHERE status = 'accepted' AND addressee_id = ?`,
  received: `SELECT ${columns} FROM friendships WHERE status = 'pending' AND addressee_id = ?
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
  sent: `SELECT ${columns} FROM friendships WHERE status = 'pending' AND requester_id = ?
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
  blocks: `SELECT ${blockColumns} FROM blocks WHERE blocker_id = ?
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
} as const;

const changes = {
  deleteFriendship: 'DELETE FROM friendships WHERE pair = ?',
  deleteBlock: 'DELETE FROM blocks WHERE blocker_id = ? AND blocked_id = ?',
  addFriendship: `INSERT INTO friendships
    (pair, id, requester_id, addressee_id, status, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
  addBlock: 'INSERT INTO blocks (blocker_id, blocked_id, id, created_at) VALUES (?, ?, ?, ?)',
} as const;

/** Friendships in a SQLite file. `close` is what to do when this store is no longer used. */
export function createSqliteFriendStore(
  database: SqliteDatabase,
  close: () => Promise<void>,
): FriendStore {
  type Value = string | number;

  // STRICT tables guarantee the columns' types, whoever wrote the row guarantees the brands.
  function first<Row>(sql: string, ...values: Value[]): Row | null {
    return (database.prepare(sql).get(...values) as Row | undefined) ?? null;
  }
  function list<Row>(sql: string, ...values: Value[]): Row[] {
    return database.prepare(sql).all(...values) as Row[];
  }

  function blockBy(blockerId: UserId, blockedId: UserId): Friendship[] {
    const rows = list<Friendship>(friendQueries.block, blockerId, blockedId);
    return rows.map((row) => ({ ...row }));
  }

  function recordOf(one: UserId, other: UserId): PairRecord | null {
    const friendship = first<Friendship>(friendQueries.ofPair, pairOf(one, other));
    return friendship
      ? { ...friendship, blocks: [] }
      : blocked([...blockBy(one, other), ...blockBy(other, one)]);
  }

  /** Called in a transaction of the only process that has this file: `stored` is what is there. */
  function apply<Outcome>(stored: PairRecord | null, { outcome, next }: Step<Outcome>): Outcome {
    if (next !== undefined && stored) {
      erase(stored);
    }
    if (next) {
      add(next);
    }
    return outcome;
  }

  function erase({ requesterId, addresseeId }: PairRecord): void {
    const deleteBlock = database.prepare(changes.deleteBlock);
    database.prepare(changes.deleteFriendship).run(pairOf(requesterId, addresseeId));
    deleteBlock.run(requesterId, addresseeId);
    deleteBlock.run(addresseeId, requesterId);
  }

  function add(record: PairRecord): void {
    if (record.status !== 'blocked') {
      const { _id, requesterId, addresseeId, status, createdAt } = record;
      const pair = pairOf(requesterId, addresseeId);
      const statement = database.prepare(changes.addFriendship);
      statement.run(pair, _id, requesterId, addresseeId, status, createdAt);
    }
    for (const { _id, requesterId, addresseeId, createdAt } of record.blocks) {
      database.prepare(changes.addBlock).run(requesterId, addresseeId, _id, createdAt);
    }
  }

  function requestById(friendshipId: FriendshipId, addresseeId: UserId): PairRecord | null {
    const row = first<Friendship>(friendQueries.requestTo, friendshipId, addresseeId);
    return row && { ...row, blocks: [] };
  }

  function count(sql: string, userId: UserId): number {
    return first<{ count: number }>(sql, userId)?.count ?? 0;
  }

  function pageOf(sql: string, userId: UserId, { limit, offset }: FriendPage): Friendship[] {
    // To SQLite, a negative limit would mean no limit.
    const rows = limit < 1 ? [] : list<Friendship>(sql, userId, limit, offset);
    return rows.map((row) => ({ ...row }));
  }

  return {
    request: (proposal) =>
      database.write(() => {
        const stored = recordOf(proposal.requesterId, proposal.addresseeId);
        return apply(stored, request(stored, proposal));
      }),

    answer: (friendshipId, addresseeId, action) =>
      database.write(() => {
        const stored = requestById(friendshipId, addresseeId);
        return apply(stored, answer(stored, addresseeId, action));
      }),

    async requestTo(friendshipId, addresseeId) {
      return database.read(() => requestTo(requestById(friendshipId, addresseeId), addresseeId));
    },

    remove: (userId, otherId) =>
      database.write(() => {
        const stored = recordOf(userId, otherId);
        return apply(stored, remove(stored, userId));
      }),

    block: (proposal) =>
      database.write(() => {
        const stored = recordOf(proposal.requesterId, proposal.addresseeId);
        return apply(stored, block(stored, proposal));
      }),

    unblock: (blockerId, blockedId) =>
      database.write(() => {
        const stored = recordOf(blockerId, blockedId);
        return apply(stored, unblock(stored, blockerId));
      }),

    async blocksBetween(userId, others) {
      return database.read(() => ({
        blockedBy: others.filter((other) => blockBy(other, userId).length > 0),
        blocking: others.filter((other) => blockBy(userId, other).length > 0),
      }));
    },

    async friendsOf(userIds) {
      return database.read(() => {
        const friendsIn = (sql: string, userId: UserId) =>
          list<{ friend: UserId }>(sql, userId).map(({ friend }) => friend);
        return new Map(
          userIds.map((userId) => [
            userId,
            [
              ...friendsIn(friendQueries.friendsAsked, userId),
              ...friendsIn(friendQueries.friendsAsking, userId),
            ],
          ]),
        );
      });
    },

    async countBonds(userId) {
      return database.read(
        () => count(friendQueries.countAsked, userId) + count(friendQueries.countAsking, userId),
      );
    },

    async receivedRequests(userId, page) {
      return database.read(() => pageOf(friendQueries.received, userId, page));
    },

    async sentRequests(userId, page) {
      return database.read(() => pageOf(friendQueries.sent, userId, page));
    },

    async blocksOf(userId, page) {
      return database.read(() => pageOf(friendQueries.blocks, userId, page));
    },

    async check() {
      database.read(() => database.prepare('SELECT 1 FROM friendships LIMIT 1').get());
    },
    close,
  };
}
