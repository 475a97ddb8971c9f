import type { ConversationId, UserId } from '@bambochat/protocol';
import type { SyncStore } from '@bambochat/stores';

/**
 * Names users whose membership or role has been changed in the journal of their conversation, for
 * members who were away. Call it after the change is stored, and again when an earlier try may have
 * changed something and died: repeating is harmless.
 *
 * @throws AppError `UNAVAILABLE`
 */
export async function journalMembers(
  { syncStore }: { syncStore: Pick<SyncStore, 'appendChanges'> },
  conversationId: ConversationId,
  userIds: readonly UserId[],
): Promise<void> {
  await syncStore.appendChanges(
    conversationId,
    userIds.map((userId) => ({ kind: 'member', userId })),
  );
}
