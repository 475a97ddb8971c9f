import type { ConversationId, Message, MessageId, Reaction } from '@bambochat/protocol';
import { headText } from './head-text.ts';
import type { Head, HeadPosition, MessageStore } from './message-store.ts';
import { type Reactor, reactionsOf, toggleReaction } from './reaction-rules.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const columns = `id, conversation_id, seq, sender_id, content, client_message_id, reactions,
  created_at`;

/** Shared with the test that asks SQLite how it answers them. */
export const messageQueries = {
  byClientId: `SELECT ${columns} FROM messages
    WHERE conversation_id = ? AND sender_id = ? AND client_message_id = ?`,
  last: `SELECT seq, id FROM messages WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1`,
  head: 'SELECT * FROM heads WHERE conversation_id = ?',
  position: `SELECT last_seq AS lastSeq, sender_id AS senderId, created_at AS createdAt
    FROM heads WHERE conversation_id = ?`,
  idOf: 'SELECT id FROM messages WHERE conversation_id = ? AND seq = ?',
  conversationOf: 'SELECT conversation_id FROM messages WHERE id = ?',
  reactors: 'SELECT seq, reactors FROM messages WHERE id = ? AND conversation_id = ?',
  reactions: 'SELECT reactions FROM messages WHERE id = ? AND conversation_id = ?',
  seqOf: 'SELECT seq FROM messages WHERE id = ? AND conversation_id = ?',
  pageForward: `SELECT ${columns} FROM messages
    WHERE conversation_id = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?`,
  pageBackward: `SELECT ${columns} FROM messages
    WHERE conversation_id = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
} as const;

// A unique key that is taken is an outcome and not an error: nothing changes, nothing is thrown.
const insertMessage = `INSERT INTO messages
  (id, conversation_id, seq, sender_id, content, client_message_id, reactions, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

const advanceHead = `INSERT INTO heads (conversation_id, last_seq, content, sender_id, created_at)
  VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (conversation_id) DO UPDATE SET
    last_seq = excluded.last_seq,
    content = excluded.content,
    sender_id = excluded.sender_id,
    created_at = excluded.created_at
  WHERE excluded.last_seq > heads.last_seq`;

const writeReactions = 'UPDATE messages SET reactions = ?, reactors = ? WHERE id = ?';

interface MessageRow {
  id: string;
  conversation_id: string;
  seq: number;
  sender_id: string;
  content: string;
  client_message_id: string;
  reactions: string;
  created_at: string;
}

interface HeadRow {
  last_seq: number;
  content: string;
  sender_id: string;
  created_at: string;
}

/** The message store in a SQLite file. `close` is what to do when this store is no longer used. */
export function createSqliteMessageStore(
  database: SqliteDatabase,
  close: () => Promise<void>,
): MessageStore {
  function advance(messages: readonly Message[]): void {
    const newest = new Map<ConversationId, Message>();
    for (const message of messages) {
      if (message.seq > (newest.get(message.conversationId)?.seq ?? 0)) {
        newest.set(message.conversationId, message);
      }
    }
    const statement = database.prepare(advanceHead);
    for (const { conversationId, seq, content, senderId, createdAt } of newest.values()) {
      statement.run(conversationId, seq, headText(content), senderId, createdAt);
    }
  }

  return {
    insert(messages) {
      return database.write(() => {
        const statement = database.prepare(insertMessage);
        let inserted = 0;
        for (const message of messages) {
          const { changes } = statement.run(
            message._id,
            message.conversationId,
            message.seq,
            message.senderId,
            message.content,
            message.clientMessageId,
            JSON.stringify(message.reactions),
            message.createdAt,
          );
          if (changes === 0) {
            break;
          }
          inserted += 1;
        }
        advance(messages.slice(0, inserted));
        return { inserted };
      });
    },

    async advanceHeads(messages) {
      await database.write(() => advance(messages));
    },

    async findByClientMessageIds(keys) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.byClientId);
        // A key that is asked for twice is answered once.
        const found = new Map<MessageId, Message>();
        for (const { conversationId, senderId, clientMessageId } of keys) {
          const row = statement.get(conversationId, senderId, clientMessageId);
          if (row) {
            const message = messageOf(row as unknown as MessageRow);
            found.set(message._id, message);
          }
        }
        return [...found.values()];
      });
    },

    async lastOf(conversationIds) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.last);
        const last = new Map<ConversationId, { seq: number; _id: MessageId }>();
        for (const conversationId of conversationIds) {
          const row = statement.get(conversationId) as { seq: number; id: MessageId } | undefined;
          if (row) {
            last.set(conversationId, { seq: row.seq, _id: row.id });
          }
        }
        return last;
      });
    },

    async heads(conversationIds) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.head);
        const heads = new Map<ConversationId, Head>();
        for (const conversationId of conversationIds) {
          const row = statement.get(conversationId);
          if (row) {
            heads.set(conversationId, headOf(row as unknown as HeadRow));
          }
        }
        return heads;
      });
    },

    async seqOf(conversationId, messageId) {
      return database.read(() => {
        const row = database.prepare(messageQueries.seqOf).get(messageId, conversationId);
        return row ? Number(row.seq) : null;
      });
    },

    async headPositions(conversationIds) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.position);
        const positions = new Map<ConversationId, HeadPosition>();
        for (const conversationId of conversationIds) {
          const row = statement.get(conversationId) as HeadPosition | undefined;
          if (row) {
            positions.set(conversationId, { ...row });
          }
        }
        return positions;
      });
    },

    async idsOf(conversationId, seqs) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.idOf);
        const ids = new Map<number, MessageId>();
        for (const seq of new Set(seqs)) {
          const row = statement.get(conversationId, seq) as { id: MessageId } | undefined;
          if (row) {
            ids.set(seq, row.id);
          }
        }
        return ids;
      });
    },

    async conversationOf(messageId) {
      return database.read(() => {
        const row = database.prepare(messageQueries.conversationOf).get(messageId);
        return row ? (row.conversation_id as ConversationId) : null;
      });
    },

    react(conversationId, messageId, step) {
      return database.write(() => {
        const row = database.prepare(messageQueries.reactors).get(messageId, conversationId) as
          | { seq: number; reactors: string | null }
          | undefined;
        if (!row) {
          return 'absent';
        }
        const reactors: Reactor[] = row.reactors === null ? [] : JSON.parse(row.reactors);
        const toggled = toggleReaction(reactors, step);
        if (toggled === 'full') {
          return 'full';
        }
        const { next } = toggled;
        if (next) {
          const statement = database.prepare(writeReactions);
          statement.run(JSON.stringify(reactionsOf(next)), JSON.stringify(next), messageId);
        }
        return { seq: row.seq, reactions: reactionsOf(next ?? reactors) };
      });
    },

    async reactionsTo(conversationId, messageIds) {
      return database.read(() => {
        const statement = database.prepare(messageQueries.reactions);
        const found = new Map<MessageId, Reaction[]>();
        for (const messageId of messageIds) {
          const row = statement.get(messageId, conversationId) as { reactions: string } | undefined;
          if (row) {
            found.set(messageId, JSON.parse(row.reactions));
          }
        }
        return found;
      });
    },

    async page(conversationId, { after, before, limit }) {
      if (limit < 1) {
        return [];
      }
      return database.read(() => {
        const forward = after !== undefined;
        const sql = forward ? messageQueries.pageForward : messageQueries.pageBackward;
        const rows = database
          .prepare(sql)
          .all(conversationId, after ?? 0, before ?? Number.MAX_SAFE_INTEGER, limit);
        const messages = rows.map((row) => messageOf(row as unknown as MessageRow));
        return forward ? messages : messages.reverse();
      });
    },

    async check() {
      database.read(() => database.prepare('SELECT 1 FROM heads LIMIT 1').get());
    },

    close,
  };
}

function messageOf(row: MessageRow): Message {
  // The types of the columns are guaranteed by STRICT tables, the brands by who wrote the row.
  return {
    _id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    senderId: row.sender_id,
    content: row.content,
    clientMessageId: row.client_message_id,
    reactions: JSON.parse(row.reactions),
    createdAt: row.created_at,
  } as Message;
}

function headOf(row: HeadRow): Head {
  return {
    lastSeq: row.last_seq,
    content: row.content,
    senderId: row.sender_id,
    createdAt: row.created_at,
  } as Head;
}
