import { AppError, type ConversationId, notFound, type UserId } from '@bambochat/protocol';
import type { DirectoryStore, Membership } from '@bambochat/stores';

/**
 * The membership of who wants to change a group.
 *
 * @throws AppError `NOT_FOUND`, the same for an absent conversation and for one of others;
 *   `CONFLICT` for a direct conversation
 */
export async function findGroupMembership(
  { directoryStore }: { directoryStore: DirectoryStore },
  conversationId: ConversationId,
  userId: UserId,
): Promise<Membership> {
  const membership = await directoryStore.membership(conversationId, userId);
  const record = membership && (await directoryStore.conversation(conversationId));
  if (membership === null || record === null) {
    throw notFound('Conversation');
  }
  if (record.type !== 'group') {
    throw new AppError('CONFLICT', 'The participants of a direct conversation are fixed');
  }
  return membership;
}
