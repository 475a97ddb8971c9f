import { type ConversationId, notFound, PARTICIPANTS_MAX, type UserId } from '@bambochat/protocol';
import type { ConversationDeps } from './create-conversation.ts';
import { findGroupMembership } from './find-membership.ts';
import { journalMembers } from './journal-members.ts';

/** Enough to meet the creator, who came first, and most admins. */
const FIRST_COMERS = 50;

/**
 * An admin removes anybody, everybody removes themselves. A group that has members has an admin:
 * when the last one leaves, the longest-standing member becomes one.
 *
 * @throws AppError `NOT_FOUND`, `CONFLICT` for a direct conversation, `UNAVAILABLE`
 */
export async function removeParticipant(
  deps: ConversationDeps,
  actorId: UserId,
  conversationId: ConversationId,
  userId: UserId,
): Promise<void> {
  const { directoryStore } = deps;
  const actor = await findGroupMembership(deps, conversationId, actorId);
  if (userId !== actorId && actor.role !== 'admin') {
    throw notFound('Participant');
  }
  const removed = await directoryStore.removeParticipant(conversationId, userId);
  // Also when there was nothing to remove: an earlier try may have removed and said nothing.
  await deps.announceMembers({ conversationId, removed: [userId] });
  await journalMembers(deps, conversationId, [userId]);
  if (!removed) {
    throw notFound('Participant');
  }
  // After every removal, not only of an admin: heals what two leaving at once, or a process that
  // died here, left behind.
  await ensureAdmin(deps, conversationId);
  await directoryStore.touchConversation(conversationId, new Date().toISOString());
}

async function ensureAdmin(deps: ConversationDeps, conversationId: ConversationId): Promise<void> {
  const { directoryStore } = deps;
  for (const limit of [FIRST_COMERS, PARTICIPANTS_MAX]) {
    const participants = await directoryStore.participantsOf(conversationId, limit);
    if (participants.some(({ role }) => role === 'admin')) {
      return;
    }
    const [longestStanding] = participants;
    if (participants.length < limit || limit === PARTICIPANTS_MAX) {
      if (longestStanding !== undefined) {
        await directoryStore.setRole(conversationId, longestStanding.userId, 'admin');
        await journalMembers(deps, conversationId, [longestStanding.userId]);
      }
      return;
    }
  }
}
