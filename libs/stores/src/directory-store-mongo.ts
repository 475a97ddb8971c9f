import type { Role, UserId } from '@bambochat/protocol';
import { directKey } from './direct-key.ts';
import type {
  Account,
  ConversationRecord,
  DirectoryStore,
  Membership,
  Profile,
  Session,
} from './directory-store.ts';
import { inBatches } from './in-batches.ts';
import type {
  Collections,
  ConversationDocument,
  MembershipDocument,
  SessionDocument,
  UserDocument,
} from './mongo-collections.ts';
import { READ_TIMEOUT } from './mongo-database.ts';
import { duplicatesOf, isDuplicateKey, speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';

const read = { maxTimeMS: READ_TIMEOUT };
const profileFields = { displayName: 1, bio: 1, avatar: 1, createdAt: 1 } as const;

/** The directory in MongoDB. `close` is what to do when this store is no longer used. */
export function createMongoDirectoryStore(
  { users, sessions, conversations, memberships }: Collections,
  { check, close }: Pick<DirectoryStore, 'check' | 'close'>,
): DirectoryStore {
  /** Adds those who are no members yet. @returns who was added. */
  async function addMembers(participants: readonly Membership[]): Promise<UserId[]> {
    if (participants.length === 0) {
      return [];
    }
    try {
      await memberships.insertMany(participants.map(membershipDocument), { ordered: false });
      return participants.map(({ userId }) => userId);
    } catch (error) {
      const refused = duplicatesOf(error);
      if (!refused) {
        throw error;
      }
      const present = new Set(refused.map(({ index }) => index));
      return participants.filter((_, index) => !present.has(index)).map(({ userId }) => userId);
    }
  }

  /** @returns false when a unique key of the conversation is taken. */
  async function addConversation(document: ConversationDocument): Promise<boolean> {
    try {
      await conversations.insertOne(document);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) {
        return false;
      }
      throw error;
    }
  }

  return {
    createAccount: (account) =>
      speakingToMongo(async () => {
        try {
          await users.insertOne(userDocument(account));
          return true;
        } catch (error) {
          if (isDuplicateKey(error)) {
            return false;
          }
          throw error;
        }
      }),

    account: (userId) =>
      speakingToMongo(async () => accountOf(await users.findOne({ _id: exactly(userId) }, read))),

    profiles: (userIds) =>
      speakingToMongo(async () => {
        const found = await users
          .find({ _id: oneOf(userIds) }, { ...read, projection: profileFields })
          .toArray();
        const profiles = new Map(found.map((user) => [user._id, profileOf(user)]));
        return userIds.flatMap((id) => profiles.get(id) ?? []);
      }),

    searchProfiles: (prefix, limit) =>
      speakingToMongo(async () => {
        // To MongoDB, a limit of 0 would mean no limit.
        if (limit < 1) {
          return [];
        }
        // The last code point there is sorts behind everything that can follow the prefix.
        const from = exactly(prefix) as UserId;
        const to = `${prefix}\u{10ffff}` as UserId;
        const found = await users
          .find({ _id: { $gte: from, $lt: to } }, { ...read, projection: profileFields })
          .sort({ _id: 1 })
          .limit(limit)
          .toArray();
        return found.map(profileOf);
      }),

    updateProfile: (userId, { displayName, bio }) =>
      speakingToMongo(async () => {
        const change = {
          ...(displayName === undefined ? {} : { displayName }),
          ...(bio === undefined ? {} : { bio }),
        };
        const user =
          Object.keys(change).length === 0
            ? await users.findOne({ _id: exactly(userId) }, read)
            : await users.findOneAndUpdate(
                { _id: exactly(userId) },
                { $set: change },
                { returnDocument: 'after' },
              );
        return accountOf(user);
      }),

    createSession: (session) =>
      speakingToMongo(async () => {
        await sessions.insertOne(sessionDocument(session));
      }),

    session: (sessionId) =>
      speakingToMongo(async () => {
        const session = await sessions.findOne(
          { _id: exactly(sessionId), expiresAt: { $gt: new Date() } },
          read,
        );
        return session && sessionOf(session);
      }),

    rotateSession: (sessionId, expected, next, expiresAt) =>
      speakingToMongo(async () => {
        const { matchedCount } = await sessions.updateOne(
          {
            _id: exactly(sessionId),
            currentToken: exactly(expected),
            expiresAt: { $gt: new Date() },
          },
          { $set: { currentToken: next, expiresAt: new Date(expiresAt) } },
        );
        return matchedCount === 1;
      }),

    revokeSession: (sessionId) =>
      speakingToMongo(async () => {
        const { deletedCount } = await sessions.deleteOne({
          _id: exactly(sessionId),
          expiresAt: { $gt: new Date() },
        });
        return deletedCount === 1;
      }),

    // Without a transaction: the conversation comes last and is the commit point. A process that
    // dies before leaves memberships of a conversation that does not exist, under an id that nobody
    // knows: `conversations` leaves it out. Repeating the call completes whatever is missing.
    createGroup: (conversation, participants) =>
      speakingToMongo(async () => {
        await addMembers(participants);
        await addConversation(conversationDocument(conversation));
      }),

    // Here the conversation comes first: the unique key makes one of all callers its creator, and
    // tells the others its id. Every caller then adds the memberships that are missing, and so
    // finishes the work of a creator that died in between.
    openDirect: (conversation, participants) =>
      speakingToMongo(async () => {
        const key = directKey(participants);
        const proposal = { ...conversationDocument(conversation), directKey: key };
        let stored = await conversations.findOne({ directKey: exactly(key) }, read);
        const created = stored === null && (await addConversation(proposal));
        if (created) {
          stored = proposal;
        }
        // Read as `local`: it exists, for it has just refused ours, even if a majority does not
        // have it yet. The write below waits for the majority, and with it for all before it.
        stored ??= await conversations.findOne(
          { directKey: exactly(key) },
          { ...read, readConcern: { level: 'local' } },
        );
        if (!stored) {
          throw new Error('The id of a direct conversation is taken by another conversation');
        }
        const conversationId = stored._id;
        await addMembers(participants.map((member) => ({ ...member, conversationId })));
        return { conversation: conversationOf(stored), created };
      }),

    conversation: (conversationId) =>
      speakingToMongo(async () => {
        const conversation = await conversations.findOne({ _id: exactly(conversationId) }, read);
        return conversation && conversationOf(conversation);
      }),

    conversations: (conversationIds) =>
      speakingToMongo(async () => {
        const found = await conversations.find({ _id: oneOf(conversationIds) }, read).toArray();
        return found.map(conversationOf);
      }),

    touchConversation: (conversationId, updatedAt) =>
      speakingToMongo(async () => {
        await conversations.updateOne(
          { _id: exactly(conversationId) },
          { $max: { updatedAt: new Date(updatedAt) } },
        );
      }),

    areMembers: (pairs) =>
      speakingToMongo(async () => {
        const ids = pairs.map(membershipId);
        const found = await memberships
          .find({ _id: oneOf(ids) }, { ...read, projection: { _id: 1 } })
          .toArray();
        const present = new Set(found.map(({ _id }) => _id));
        return ids.map((id) => present.has(id));
      }),

    membershipsOf: (userId, limit) =>
      speakingToMongo(async () => {
        if (limit < 1) {
          return [];
        }
        const found = await memberships
          .find({ userId: exactly(userId) }, read)
          .sort({ joinedAt: -1, conversationId: -1 })
          .limit(limit)
          .toArray();
        return found.map(membershipOf);
      }),

    participantsOf: (conversationId, limit) =>
      speakingToMongo(async () => {
        if (limit < 1) {
          return [];
        }
        const found = await memberships
          .find({ conversationId: exactly(conversationId) }, read)
          .sort({ joinedAt: 1, order: 1, userId: 1 })
          .limit(limit)
          .toArray();
        return found.map(membershipOf);
      }),

    countParticipants: (conversationId) =>
      speakingToMongo(() =>
        memberships.countDocuments({ conversationId: exactly(conversationId) }, read),
      ),

    membership: (conversationId, userId) =>
      speakingToMongo(async () => {
        const _id = membershipId({ conversationId, userId });
        const membership = await memberships.findOne({ _id }, read);
        return membership && membershipOf(membership);
      }),

    memberships: (pairs) =>
      speakingToMongo(async () => {
        const found = await inBatches(pairs.map(membershipId), (batch) =>
          memberships.find({ _id: oneOf(batch) }, read).toArray(),
        );
        return found.map(membershipOf);
      }),

    markRead: (conversationId, userId, seq) =>
      speakingToMongo(async () => {
        const _id = membershipId({ conversationId, userId });
        const { modifiedCount } = await memberships.updateOne(
          { _id, readSeq: { $lt: seq } },
          { $set: { readSeq: seq } },
        );
        const membership = await memberships.findOne({ _id }, read);
        return membership && { moved: modifiedCount === 1, readSeq: membership.readSeq };
      }),

    addParticipants: (participants) => speakingToMongo(() => addMembers(participants)),

    removeParticipant: (conversationId, userId) =>
      speakingToMongo(async () => {
        const _id = membershipId({ conversationId, userId });
        const { deletedCount } = await memberships.deleteOne({ _id });
        return deletedCount === 1;
      }),

    setRole: (conversationId, userId, role: Role) =>
      speakingToMongo(async () => {
        const _id = membershipId({ conversationId, userId });
        await memberships.updateOne({ _id }, { $set: { role } });
      }),

    check,
    close,
  };
}

function membershipId({
  conversationId,
  userId,
}: Pick<Membership, 'conversationId' | 'userId'>): string {
  return `${exactly(conversationId)}:${exactly(userId)}`;
}

function membershipDocument(membership: Membership, order: number): MembershipDocument {
  const { conversationId, userId, role, joinedAt, readSeq } = membership;
  return {
    _id: membershipId(membership),
    conversationId,
    userId,
    role,
    joinedAt: new Date(joinedAt),
    readSeq,
    order,
  };
}

function membershipOf(document: MembershipDocument): Membership {
  const { conversationId, userId, role, joinedAt, readSeq } = document;
  return { conversationId, userId, role, joinedAt: joinedAt.toISOString(), readSeq };
}

function userDocument(account: Account): UserDocument {
  const { _id, email, passwordHash, displayName, bio, avatar, isVerified, createdAt } = account;
  return {
    _id,
    email,
    emailLower: email.toLowerCase(),
    passwordHash,
    displayName,
    bio,
    avatar,
    isVerified,
    createdAt: new Date(createdAt),
  };
}

function profileOf(
  user: Pick<UserDocument, '_id' | 'displayName' | 'bio' | 'avatar' | 'createdAt'>,
): Profile {
  const { _id, displayName, bio, avatar, createdAt } = user;
  return { _id, displayName, bio, avatar, createdAt: createdAt.toISOString() };
}

function accountOf(user: UserDocument | null): Account | null {
  return (
    user && {
      ...profileOf(user),
      email: user.email,
      passwordHash: user.passwordHash,
      isVerified: user.isVerified,
    }
  );
}

function sessionDocument({ createdAt, expiresAt, ...rest }: Session): SessionDocument {
  return { ...rest, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
}

function sessionOf({ createdAt, expiresAt, ...rest }: SessionDocument): Session {
  return { ...rest, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

function conversationDocument(conversation: ConversationRecord): ConversationDocument {
  const { _id, type, name, createdAt, updatedAt } = conversation;
  return { _id, type, name, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}

function conversationOf(document: ConversationDocument): ConversationRecord {
  const { _id, type, name, createdAt, updatedAt } = document;
  return {
    _id,
    type,
    name,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
