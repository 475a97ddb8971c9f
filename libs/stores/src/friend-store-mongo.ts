import { randomUUID } from 'node:crypto';
import type { Friendship, FriendshipId, UserId } from '@bambochat/protocol';
import type { Filter } from 'mongodb';
import type { FriendPage, FriendStore } from './friend-store.ts';
import {
  answer,
  block,
  type PairRecord,
  pairOf,
  remove,
  request,
  requestTo,
  type Step,
  unblock,
} from './friendship-rules.ts';
import { inBatches } from './in-batches.ts';
import type { BlockEntry, Collections, FriendshipDocument } from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { isDuplicateKey, speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';
import { untilUncontested } from './until-uncontested.ts';

const read = { maxTimeMS: READ_TIMEOUT };
const newestFirst = { createdAt: -1, friendshipId: -1 } as const;
/** Fields of the indexes, so that the server reads no documents. */
const bothUsers = { _id: 0, requesterId: 1, addresseeId: 1 } as const;

/** Friendships in MongoDB. `close` is what to do when this store is no longer used. */
export function createMongoFriendStore(
  { friendships }: Pick<Collections, 'friendships'>,
  { check, close }: Pick<FriendStore, 'check' | 'close'>,
): FriendStore {
  /**
   * Compare and swap: reads the record, decides, and writes on the condition that the record is
   * still the one that was read; else begins again. Each lost round means that another call has
   * changed the pair, and a pair has few states, so that calls soon find nothing left to change.
   *
   * Reads what a majority has, like everything else here, so that a decision to change nothing rests
   * on what cannot be rolled back. The pause between two rounds lets the majority catch up with the
   * write that won.
   */
  function change<Outcome extends object | boolean | null>(
    find: () => Promise<FriendshipDocument | null>,
    decide: (stored: PairRecord | null) => Step<Outcome>,
  ): Promise<Outcome> {
    return untilUncontested(async () => {
      const document = await find();
      const { outcome, next } = decide(document && recordOf(document));
      return next === undefined || (await swap(document, next)) ? outcome : undefined;
    });
  }

  /** @returns false when `expected` is not what is there. */
  async function swap(
    expected: FriendshipDocument | null,
    next: PairRecord | null,
  ): Promise<boolean> {
    if (expected && next) {
      const { matchedCount } = await friendships.replaceOne(same(expected), documentOf(next));
      return matchedCount === 1;
    }
    if (expected) {
      const { deletedCount } = await friendships.deleteOne(same(expected));
      return deletedCount === 1;
    }
    return next === null || insert(documentOf(next));
  }

  async function insert(document: FriendshipDocument): Promise<boolean> {
    try {
      await friendships.insertOne(document);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) {
        return false;
      }
      throw error;
    }
  }

  function changePair<Outcome extends object | boolean | null>(
    one: UserId,
    other: UserId,
    decide: (stored: PairRecord | null) => Step<Outcome>,
  ): Promise<Outcome> {
    const _id = pairOf(exactly(one), exactly(other));
    return speakingToMongo(() => change(() => friendships.findOne({ _id }, read), decide));
  }

  function requestById(
    friendshipId: FriendshipId,
    addresseeId: UserId,
  ): Promise<FriendshipDocument | null> {
    return friendships.findOne(
      { friendshipId: exactly(friendshipId), addresseeId: exactly(addresseeId) },
      read,
    );
  }

  async function list(
    filter: Filter<FriendshipDocument>,
    { limit, offset }: FriendPage,
  ): Promise<Friendship[]> {
    // To MongoDB, a limit of 0 would mean no limit.
    if (limit < 1) {
      return [];
    }
    const found = friendships.find(filter, read).sort(newestFirst).skip(offset).limit(limit);
    return (await found.toArray()).map(friendshipIn);
  }

  /** Two queries, each out of one index: an `$or` makes the stand-in of the tests scan everything. */
  function friendshipsOf(
    userIds: readonly UserId[],
  ): Promise<Pick<FriendshipDocument, 'requesterId' | 'addresseeId'>[]> {
    return inBatches(userIds, async (batch) => {
      const found = await Promise.all([
        friendships
          .find(
            { status: 'accepted', requesterId: oneOf(batch) },
            { ...read, projection: bothUsers },
          )
          .toArray(),
        friendships
          .find(
            { status: 'accepted', addresseeId: oneOf(batch) },
            { ...read, projection: bothUsers },
          )
          .toArray(),
      ]);
      return found.flat();
    });
  }

  return {
    request: (proposal) =>
      changePair(proposal.requesterId, proposal.addresseeId, (stored) => request(stored, proposal)),

    answer: (friendshipId, addresseeId, action) =>
      speakingToMongo(() =>
        change(
          () => requestById(friendshipId, addresseeId),
          (stored) => answer(stored, addresseeId, action),
        ),
      ),

    requestTo: (friendshipId, addresseeId) =>
      speakingToMongo(async () => {
        const document = await requestById(friendshipId, addresseeId);
        return requestTo(document && recordOf(document), addresseeId);
      }),

    remove: (userId, otherId) => changePair(userId, otherId, (stored) => remove(stored, userId)),

    block: (proposal) =>
      changePair(proposal.requesterId, proposal.addresseeId, (stored) => block(stored, proposal)),

    unblock: (blockerId, blockedId) =>
      changePair(blockerId, blockedId, (stored) => unblock(stored, blockerId)),

    blocksBetween: (userId, others) =>
      speakingToMongo(async () => {
        const pairs = others.map((other) => pairOf(exactly(userId), exactly(other)));
        const found = await inBatches(pairs, (batch) =>
          friendships
            .find({ _id: oneOf(batch) }, { ...read, projection: { 'blocks.by': 1 } })
            .toArray(),
        );
        const blockersOf = new Map(
          found.map(({ _id, blocks }) => [_id, blocks.map(({ by }) => by)]),
        );
        const isBlockedBy = (other: UserId, blockerId: UserId) =>
          blockersOf.get(pairOf(userId, other))?.includes(blockerId) === true;
        return {
          blockedBy: others.filter((other) => isBlockedBy(other, other)),
          blocking: others.filter((other) => isBlockedBy(other, userId)),
        };
      }),

    friendsOf: (userIds) =>
      speakingToMongo(async () => {
        const friends = new Map<UserId, Set<UserId>>(userIds.map((userId) => [userId, new Set()]));
        // A pair of whom both were asked for is found twice.
        for (const { requesterId, addresseeId } of await friendshipsOf(userIds)) {
          friends.get(requesterId)?.add(addresseeId);
          friends.get(addresseeId)?.add(requesterId);
        }
        return new Map(Array.from(friends, ([userId, ids]) => [userId, [...ids]]));
      }),

    countBonds: (userId) =>
      speakingToMongo(async () => {
        const id = exactly(userId);
        const counts = await Promise.all([
          friendships.countDocuments({ status: 'accepted', requesterId: id }, read),
          friendships.countDocuments({ status: 'pending', requesterId: id }, read),
          friendships.countDocuments({ status: 'accepted', addresseeId: id }, read),
        ]);
        return counts.reduce((sum, count) => sum + count, 0);
      }),

    receivedRequests: (userId, page) =>
      speakingToMongo(() => list({ status: 'pending', addresseeId: exactly(userId) }, page)),

    sentRequests: (userId, page) =>
      speakingToMongo(() => list({ status: 'pending', requesterId: exactly(userId) }, page)),

    // Sorted by the server and not by an index: of two blocks in one document an index would take
    // the newer one for both sides. Reads what this user blocks, and keeps no more than a page.
    blocksOf: (userId, { limit, offset }) =>
      speakingToMongo(async () => {
        if (limit < 1) {
          return [];
        }
        const by = exactly(userId);
        const found = await friendships
          .aggregate<UnwoundBlock>(
            [
              { $match: { status: 'blocked', 'blocks.by': by } },
              { $unwind: '$blocks' },
              { $match: { 'blocks.by': by } },
              { $sort: { 'blocks.createdAt': -1, 'blocks.friendshipId': -1 } },
              { $skip: offset },
              { $limit: limit },
            ],
            read,
          )
          .toArray();
        return found.map(({ blocks, ...pair }) => blockOf(blocks, pair));
      }),

    check,
    close,
  };
}

/** A document with one of its blocks. */
type UnwoundBlock = Omit<FriendshipDocument, 'blocks'> & { blocks: BlockEntry };

/** Matches the document that was read, and no later one of the pair. */
function same({ _id, revision }: FriendshipDocument): Filter<FriendshipDocument> {
  return { _id, revision };
}

function documentOf(record: PairRecord): FriendshipDocument {
  const { _id, requesterId, addresseeId, status, createdAt, blocks } = record;
  return {
    _id: pairOf(requesterId, addresseeId),
    friendshipId: _id,
    requesterId,
    addresseeId,
    status,
    createdAt: new Date(createdAt),
    blocks: blocks.map((block) => ({
      by: block.requesterId,
      friendshipId: block._id,
      createdAt: new Date(block.createdAt),
    })),
    revision: randomUUID(),
  };
}

function friendshipIn(document: FriendshipDocument): Friendship {
  const { friendshipId, requesterId, addresseeId, status, createdAt } = document;
  return {
    _id: friendshipId,
    requesterId,
    addresseeId,
    status,
    createdAt: createdAt.toISOString(),
  };
}

function recordOf(document: FriendshipDocument): PairRecord {
  const blocks = document.blocks.map((entry) => blockOf(entry, document));
  return { ...friendshipIn(document), blocks };
}

function blockOf(
  { by, friendshipId, createdAt }: BlockEntry,
  { requesterId, addresseeId }: Pick<FriendshipDocument, 'requesterId' | 'addresseeId'>,
): Friendship {
  return {
    _id: friendshipId,
    requesterId: by,
    addresseeId: by === requesterId ? addresseeId : requesterId,
    status: 'blocked',
    createdAt: createdAt.toISOString(),
  };
}
