import {
  AppError,
  type Conversation,
  type CreateConversation,
  conversationIdSchema,
  PARTICIPANTS_MAX,
  type Role,
  type UserId,
} from '@bambochat/protocol';
import type { ConversationRecord, FriendStore, Membership, SyncStore } from '@bambochat/stores';
import { uuidv7 } from 'uuidv7';
import type { MemberAnnouncer } from './announce-members.ts';
import { unblockFirst } from './block-user.ts';
import { assertRoomForConversation, assertUsersReachable } from './check-participants.ts';
import {
  type ConversationStores,
  describeConversations,
  outlineConversations,
} from './describe-conversations.ts';
import { journalMembers } from './journal-members.ts';

export type ConversationDeps = ConversationStores & {
  friendStore: Pick<FriendStore, 'blocksBetween'>;
  syncStore: Pick<SyncStore, 'appendChanges'>;
  announceMembers: MemberAnnouncer;
  conversationsPerUser: number;
};

export interface OpenedConversation {
  conversation: Conversation;
  isExisting: boolean;
}

/**
 * @throws AppError `VALIDATION`, `NOT_FOUND` for users who are unknown or block the creator,
 *   `CONFLICT`, `UNAVAILABLE`
 */
export async function createConversation(
  deps: ConversationDeps,
  creatorId: UserId,
  request: CreateConversation,
): Promise<OpenedConversation> {
  const others = [...new Set(request.participantIds)].filter((userId) => userId !== creatorId);
  if (request.type === 'direct_message' && others.length !== 1) {
    throw new AppError('VALIDATION', 'participantIds: must name exactly one other user');
  }
  const blocked = await assertUsersReachable(deps, creatorId, others);
  if (request.type === 'direct_message' && blocked.length > 0) {
    throw unblockFirst();
  }
  await assertRoomForConversation(deps, [creatorId, ...others]);

  const now = new Date().toISOString();
  const record: ConversationRecord = {
    _id: conversationIdSchema.parse(uuidv7()),
    type: request.type,
    name: request.type === 'group' ? (request.name ?? null) : null,
    createdAt: now,
    updatedAt: now,
  };
  const join = (userId: UserId, role: Role): Membership => ({
    conversationId: record._id,
    userId,
    role,
    joinedAt: now,
    readSeq: 0,
  });
  const [other] = others;
  if (request.type === 'direct_message' && other !== undefined) {
    return openDirect(deps, record, [join(creatorId, 'member'), join(other, 'member')]);
  }
  const members = [join(creatorId, 'admin'), ...others.map((userId) => join(userId, 'member'))];
  await deps.directoryStore.createGroup(record, members);
  await deps.announceMembers({
    conversationId: record._id,
    added: members.map(({ userId }) => userId),
  });
  return { conversation: await conversationSeenBy(deps, members[0]), isExisting: false };
}

async function openDirect(
  deps: ConversationDeps,
  record: ConversationRecord,
  members: readonly [Membership, Membership],
): Promise<OpenedConversation> {
  const { directoryStore } = deps;
  const opened = await directoryStore.openDirect(record, members);
  const conversationId = opened.conversation._id;
  const stored = await Promise.all(
    members.map(({ userId }) => directoryStore.membership(conversationId, userId)),
  );
  // In a conversation that existed, a membership of this very moment is one that a process that
  // died had left out: nobody has announced it.
  const added = stored
    .filter((membership) => membership !== null)
    .filter(({ joinedAt }) => opened.created || joinedAt === record.createdAt)
    .map(({ userId }) => userId);
  await deps.announceMembers({ conversationId, added });
  // One of the two may have seen the conversation before the other was in it.
  await journalMembers(deps, conversationId, added);
  return {
    conversation: await conversationSeenBy(deps, stored[0] ?? undefined),
    isExisting: !opened.created,
  };
}

/**
 * One conversation with all of its participants.
 * @throws AppError `NOT_FOUND` when it, or the membership, is gone meanwhile
 */
export async function conversationSeenBy(
  deps: ConversationStores,
  membership: Membership | undefined,
): Promise<Conversation> {
  const outlines = await outlineConversations(deps, membership === undefined ? [] : [membership]);
  const [conversation] = await describeConversations(deps, outlines, PARTICIPANTS_MAX);
  if (conversation === undefined) {
    throw new AppError('NOT_FOUND', 'Conversation not found');
  }
  return conversation;
}
