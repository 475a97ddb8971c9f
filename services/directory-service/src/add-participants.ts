import {
  AppError,
  type Conversation,
  type ConversationId,
  PARTICIPANTS_MAX,
  type UserId,
} from '@bambochat/protocol';
import { inParts } from './bounded-reads.ts';
import { assertRoomForConversation, assertUsersReachable } from './check-participants.ts';
import { type ConversationDeps, conversationSeenBy } from './create-conversation.ts';
import { findGroupMembership } from './find-membership.ts';
import { journalMembers } from './journal-members.ts';

const PAIRS_PER_READ = 500;

/**
 * Any member may add. Who is a member already stays as they are, blocked or not. New members have nothing to read:
 * unread counts from the newest message of this moment.
 *
 * @throws AppError `NOT_FOUND`, `CONFLICT`, `UNAVAILABLE`
 */
export async function addParticipants(
  deps: ConversationDeps,
  actorId: UserId,
  conversationId: ConversationId,
  participantIds: readonly UserId[],
): Promise<Conversation> {
  const { directoryStore, messageStore } = deps;
  const actor = await findGroupMembership(deps, conversationId, actorId);
  const wanted = [...new Set(participantIds)];
  const newcomers = await notYetMembers(deps, conversationId, wanted);
  if (newcomers.length > 0) {
    await assertUsersReachable(deps, actorId, newcomers);
    await assertRoomForConversation(deps, newcomers);
    const present = await directoryStore.countParticipants(conversationId);
    if (present + newcomers.length > PARTICIPANTS_MAX) {
      throw new AppError('CONFLICT', `A group has at most ${PARTICIPANTS_MAX} participants`);
    }
    const newest = (await messageStore.lastOf([conversationId])).get(conversationId);
    const joinedAt = new Date().toISOString();
    await directoryStore.addParticipants(
      newcomers.map((userId) => ({
        conversationId,
        userId,
        role: 'member',
        joinedAt,
        readSeq: newest?.seq ?? 0,
      })),
    );
    await directoryStore.touchConversation(conversationId, joinedAt);
  }
  // All of them: an earlier try may have added some and said nothing.
  await deps.announceMembers({ conversationId, added: wanted });
  await journalMembers(deps, conversationId, wanted);
  return conversationSeenBy(deps, actor);
}

async function notYetMembers(
  { directoryStore }: ConversationDeps,
  conversationId: ConversationId,
  userIds: readonly UserId[],
): Promise<UserId[]> {
  const newcomers: UserId[] = [];
  for (const part of inParts(userIds, PAIRS_PER_READ)) {
    const members = await directoryStore.areMembers(
      part.map((userId) => ({ conversationId, userId })),
    );
    newcomers.push(...part.filter((_, index) => members[index] !== true));
  }
  return newcomers;
}
