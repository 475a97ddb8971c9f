import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  AppError,
  type ConversationOfAnswer,
  conversationOfRequestSchema,
  notFound,
  subjects,
} from '@bambochat/protocol';
import type { MessageStore } from '@bambochat/stores';
import type { MembershipCache } from './membership-cache.ts';

/**
 * Tells gateways in which conversation a message is. Absent and forbidden are the same; what the
 * user then does there is authorised once more.
 */
export function answerConversationOf(deps: {
  bus: EventBus;
  messageStore: Pick<MessageStore, 'conversationOf'>;
  members: MembershipCache;
}): Subscription {
  return deps.bus.respond(
    subjects.conversationOf,
    async (payload): Promise<ConversationOfAnswer> => {
      const request = conversationOfRequestSchema.safeParse(payload);
      if (!request.success) {
        throw new AppError('VALIDATION', 'The request is malformed', { cause: request.error });
      }
      const { messageId, userId } = request.data;
      const conversationId = await deps.messageStore.conversationOf(messageId);
      const [member] =
        conversationId === null ? [] : await deps.members.areMembers([{ conversationId, userId }]);
      if (conversationId === null || member !== true) {
        throw notFound('Message');
      }
      return { conversationId };
    },
    { queue: 'message-service' },
  );
}
