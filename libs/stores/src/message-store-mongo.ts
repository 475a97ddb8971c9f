import type { ConversationId, Message, UserId } from '@bambochat/protocol';
import { headText } from './head-text.ts';
import { inBatches } from './in-batches.ts';
import { inParallel } from './in-parallel.ts';
import type { ClientMessageKey, MessageStore } from './message-store.ts';
import type { Collections, HeadDocument, MessageDocument } from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { duplicatesOf, speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';
import { reactToMessage } from './react-mongo.ts';
import { upsertForward } from './upsert-forward.ts';

const read = { maxTimeMS: READ_TIMEOUT };
/** A message as everybody sees it, without what only the next reaction needs. */
const readWhole = { ...read, projection: { reactors: 0, reactionRevision: 0 } };
/** Reads of one call that are under way at once: a call must not take the whole pool. */
const READS_AT_ONCE = 8;

/** The message store in MongoDB. `close` is what to do when this store is no longer used. */
export function createMongoMessageStore(
  { messages, heads }: Collections,
  { check, close }: Pick<MessageStore, 'check' | 'close'>,
): MessageStore {
  /** @returns the number of stored messages: all, or those before the first that conflicts. */
  async function insertPrefix(list: readonly Message[]): Promise<number> {
    try {
      await messages.insertMany(list.map(documentOf), { ordered: true });
      return list.length;
    } catch (error) {
      const [conflict] = duplicatesOf(error) ?? [];
      if (conflict) {
        return conflict.index;
      }
      // Among others: a majority has not journaled them in time. The caller repeats, and then
      // meets its own messages as conflicts, which it knows by their clientMessageIds.
      throw error;
    }
  }

  /** Each head follows with one atomic step whose condition keeps it from going back. */
  function advance(list: readonly Message[]): Promise<void> {
    const steps = newestOf(list).map((message) => ({
      filter: { _id: exactly(message.conversationId), lastSeq: { $lt: message.seq } },
      update: { $set: headOf(message) },
    }));
    return upsertForward(heads, steps);
  }

  function findHeads(conversationIds: readonly ConversationId[]): Promise<HeadDocument[]> {
    return heads.find({ _id: oneOf(conversationIds) }, read).toArray();
  }

  /**
   * The newest `limit` messages below `before`. `end` is a guess at the end of that range: because
   * `seq` is dense, the page nearly always lies just below it, and a range that is bounded on both
   * sides is cheap even for a server that cannot walk an index backwards. Right whatever the guess.
   */
  async function pageBackward(
    conversationId: ConversationId,
    { before, limit, end }: { before: number; limit: number; end: number },
  ): Promise<MessageDocument[]> {
    const newestFrom = (from: number) =>
      messages
        .find(
          { conversationId: exactly(conversationId), seq: { $gte: from, $lt: before } },
          readWhole,
        )
        .sort({ seq: -1 })
        .limit(limit)
        .toArray();
    const guess = Math.max(1, end - limit);
    const page = await newestFrom(guess);
    const isWhole = page.length === limit || guess === 1;
    return (isWhole ? page : await newestFrom(1)).reverse();
  }

  /**
   * As {@link pageBackward}: `seq` is dense, so that the page lies between `after` and `after + limit`.
   * Where it does not, the rest is looked for behind: at the end of a conversation an empty range.
   */
  async function pageForward(
    conversationId: ConversationId,
    { after, before, limit }: { after: number; before: number; limit: number },
  ): Promise<MessageDocument[]> {
    const oldestIn = (from: number, end: number, count: number) =>
      messages
        .find({ conversationId: exactly(conversationId), seq: { $gt: from, $lt: end } }, readWhole)
        .sort({ seq: 1 })
        .limit(count)
        .toArray();
    const guess = Math.min(after + limit + 1, before);
    const page = await oldestIn(after, guess, limit);
    if (page.length === limit || guess === before) {
      return page;
    }
    return [...page, ...(await oldestIn(guess - 1, before, limit - page.length))];
  }

  return {
    insert: (list) =>
      speakingToMongo(async () => {
        if (list.length === 0) {
          return { inserted: 0 };
        }
        const inserted = await insertPrefix(list);
        // Only now, so that a head never runs ahead of its message.
        await advance(list.slice(0, inserted));
        return { inserted };
      }),

    advanceHeads: (list) => speakingToMongo(() => advance(list)),

    findByClientMessageIds: (keys) =>
      speakingToMongo(async () => {
        // One range of the index per sender and conversation.
        const found = await inParallel(READS_AT_ONCE, groupedBySender(keys), (group) =>
          messages
            .find(
              {
                conversationId: exactly(group.conversationId),
                senderId: exactly(group.senderId),
                clientMessageId: oneOf(group.clientMessageIds),
              },
              readWhole,
            )
            .toArray(),
        );
        return found.flat().map(messageOf);
      }),

    lastOf: (conversationIds) =>
      speakingToMongo(async () => {
        const floors = new Map<ConversationId, number>();
        for (const head of await findHeads(conversationIds)) {
          floors.set(head._id, head.lastSeq);
        }
        // A head never runs ahead, so the newest message is not before it: a short range to look in.
        const newest = await inParallel(READS_AT_ONCE, [...new Set(conversationIds)], (id) =>
          messages.findOne(
            { conversationId: exactly(id), seq: { $gte: floors.get(id) ?? 1 } },
            { ...read, sort: { seq: -1 }, projection: { conversationId: 1, seq: 1 } },
          ),
        );
        return new Map(
          newest.flatMap((message) =>
            message
              ? [[message.conversationId, { seq: message.seq, _id: message._id }] as const]
              : [],
          ),
        );
      }),

    heads: (conversationIds) =>
      speakingToMongo(async () => {
        const found = await findHeads(conversationIds);
        return new Map(
          found.map(({ _id, lastSeq, content, senderId, createdAt }) => [
            _id,
            { lastSeq, content, senderId, createdAt: createdAt.toISOString() },
          ]),
        );
      }),

    seqOf: (conversationId, messageId) =>
      speakingToMongo(async () => {
        const message = await messages.findOne(
          { _id: exactly(messageId), conversationId: exactly(conversationId) },
          { ...read, projection: { seq: 1 } },
        );
        return message?.seq ?? null;
      }),

    headPositions: (conversationIds) =>
      speakingToMongo(async () => {
        const found = await inBatches(conversationIds, (batch) =>
          heads
            .find(
              { _id: oneOf(batch) },
              { ...read, projection: { lastSeq: 1, senderId: 1, createdAt: 1 } },
            )
            .toArray(),
        );
        return new Map(
          found.map(({ _id, lastSeq, senderId, createdAt }) => [
            _id,
            { lastSeq, senderId, createdAt: createdAt.toISOString() },
          ]),
        );
      }),

    idsOf: (conversationId, seqs) =>
      speakingToMongo(async () => {
        const found = await inBatches(seqs, (batch) =>
          messages
            .find(
              { conversationId: exactly(conversationId), seq: { $in: batch } },
              { ...read, projection: { seq: 1 } },
            )
            .toArray(),
        );
        return new Map(found.map(({ _id, seq }) => [seq, _id]));
      }),

    conversationOf: (messageId) =>
      speakingToMongo(async () => {
        const message = await messages.findOne(
          { _id: exactly(messageId) },
          { ...read, projection: { conversationId: 1 } },
        );
        return message?.conversationId ?? null;
      }),

    react: (conversationId, messageId, step) =>
      speakingToMongo(() => reactToMessage(messages, conversationId, messageId, step)),

    reactionsTo: (conversationId, messageIds) =>
      speakingToMongo(async () => {
        const found = await inBatches(messageIds, (batch) =>
          messages
            .find(
              { _id: oneOf(batch) },
              { ...read, projection: { conversationId: 1, reactions: 1 } },
            )
            .toArray(),
        );
        const own = found.filter((message) => message.conversationId === conversationId);
        return new Map(own.map(({ _id, reactions }) => [_id, reactions]));
      }),

    page: (conversationId, { after, before, limit }) =>
      speakingToMongo(async () => {
        // To MongoDB, a limit of 0 would mean no limit.
        if (limit < 1) {
          return [];
        }
        const top = before ?? Number.MAX_SAFE_INTEGER;
        if (after !== undefined) {
          const page = await pageForward(conversationId, { after, before: top, limit });
          return page.map(messageOf);
        }
        const end = before ?? ((await findHeads([conversationId]))[0]?.lastSeq ?? 0) + 1;
        const page = await pageBackward(conversationId, { before: top, limit, end });
        return page.map(messageOf);
      }),

    check,
    close,
  };
}

function newestOf(messages: readonly Message[]): Message[] {
  const newest = new Map<ConversationId, Message>();
  for (const message of messages) {
    if (message.seq > (newest.get(message.conversationId)?.seq ?? 0)) {
      newest.set(message.conversationId, message);
    }
  }
  return [...newest.values()];
}

interface SenderGroup {
  readonly conversationId: ConversationId;
  readonly senderId: UserId;
  readonly clientMessageIds: ClientMessageKey['clientMessageId'][];
}

function groupedBySender(keys: readonly ClientMessageKey[]): SenderGroup[] {
  const groups = new Map<string, SenderGroup>();
  for (const { conversationId, senderId, clientMessageId } of keys) {
    const name = `${conversationId}:${senderId}`;
    const group = groups.get(name) ?? { conversationId, senderId, clientMessageIds: [] };
    group.clientMessageIds.push(clientMessageId);
    groups.set(name, group);
  }
  return [...groups.values()];
}

function documentOf(message: Message): MessageDocument {
  return {
    _id: message._id,
    conversationId: message.conversationId,
    seq: message.seq,
    senderId: message.senderId,
    content: message.content,
    clientMessageId: message.clientMessageId,
    reactions: message.reactions,
    createdAt: new Date(message.createdAt),
  };
}

function messageOf(document: MessageDocument): Message {
  return { ...document, createdAt: document.createdAt.toISOString() };
}

function headOf(message: Message): Omit<HeadDocument, '_id'> {
  return {
    lastSeq: message.seq,
    content: headText(message.content),
    senderId: message.senderId,
    createdAt: new Date(message.createdAt),
  };
}
