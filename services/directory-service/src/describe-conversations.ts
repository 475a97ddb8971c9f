import type { Conversation, ConversationId, Participant, UserId } from '@bambochat/protocol';
import {
  type ConversationRecord,
  type DirectoryStore,
  type Head,
  type Membership,
  type MessageStore,
  type Profile,
  unreadOf,
} from '@bambochat/stores';
import { inParts, mapConcurrently } from './bounded-reads.ts';

const IDS_PER_READ = 500;
const PROFILES_PER_READ = 1000;

export interface ConversationStores {
  directoryStore: DirectoryStore;
  messageStore: Pick<MessageStore, 'heads' | 'lastOf'>;
}

/** A conversation of the user, before its participants are known. */
export interface ConversationOutline {
  membership: Membership;
  record: ConversationRecord;
  head: Head | undefined;
}

/** Memberships whose conversation is gone are left out. In the order given. */
export async function outlineConversations(
  { directoryStore, messageStore }: ConversationStores,
  memberships: readonly Membership[],
): Promise<ConversationOutline[]> {
  const ids = memberships.map(({ conversationId }) => conversationId);
  const records = new Map<ConversationId, ConversationRecord>();
  const heads = new Map<ConversationId, Head>();
  for (const part of inParts(ids, IDS_PER_READ)) {
    const [foundRecords, foundHeads] = await Promise.all([
      directoryStore.conversations(part),
      messageStore.heads(part),
    ]);
    for (const record of foundRecords) {
      records.set(record._id, record);
    }
    for (const [id, head] of foundHeads) {
      heads.set(id, head);
    }
  }
  return memberships.flatMap((membership) => {
    const record = records.get(membership.conversationId);
    return record === undefined
      ? []
      : [{ membership, record, head: heads.get(membership.conversationId) }];
  });
}

/** ISO 8601 UTC: the later of the last message and the last change. */
export function lastActivity({ record, head }: ConversationOutline): string {
  return head !== undefined && head.createdAt > record.updatedAt
    ? head.createdAt
    : record.updatedAt;
}

/**
 * As the user of the memberships sees them.
 *
 * @param participantsMax how many participants each one lists, in the order in which they came; the
 *   user is always among them
 */
export async function describeConversations(
  stores: ConversationStores,
  outlines: readonly ConversationOutline[],
  participantsMax: number,
): Promise<Conversation[]> {
  const { directoryStore } = stores;
  const participants = await mapConcurrently(outlines, async ({ membership }) => {
    const { conversationId, userId } = membership;
    const first = await directoryStore.participantsOf(conversationId, participantsMax);
    return first.some((participant) => participant.userId === userId)
      ? first
      : [...first.slice(0, participantsMax - 1), membership];
  });
  const userIds = new Set(participants.flat().map(({ userId }) => userId));
  const profiles = await profilesOf(stores, [...userIds]);
  return outlines.map((outline, index) => ({
    _id: outline.record._id,
    type: outline.record.type,
    name: outline.record.name,
    participants: (participants[index] ?? []).map((each) => participantOf(each, profiles)),
    lastMessage: outline.head === undefined ? null : lastMessageOf(outline.head),
    lastSeq: outline.head?.lastSeq ?? 0,
    unread: unreadOf(outline.membership, outline.head),
    createdAt: outline.record.createdAt,
    updatedAt: outline.record.updatedAt,
  }));
}

async function profilesOf(
  { directoryStore }: ConversationStores,
  userIds: readonly UserId[],
): Promise<Map<UserId, Profile>> {
  const profiles = new Map<UserId, Profile>();
  for (const part of inParts(userIds, PROFILES_PER_READ)) {
    for (const profile of await directoryStore.profiles(part)) {
      profiles.set(profile._id, profile);
    }
  }
  return profiles;
}

function participantOf(
  { userId, role }: Membership,
  profiles: ReadonlyMap<UserId, Profile>,
): Participant {
  const profile = profiles.get(userId);
  return {
    _id: userId,
    displayName: profile?.displayName ?? userId,
    avatar: profile?.avatar ?? null,
    bio: profile?.bio ?? '',
    role,
  };
}

function lastMessageOf({ content, senderId, createdAt }: Head) {
  return { content, senderId, createdAt };
}
