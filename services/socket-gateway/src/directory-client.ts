import type { EventBus } from '@bambochat/messaging';
import {
  type ActivityRequest,
  activityAnswerSchema,
  type ConversationActivity,
  type ConversationId,
  type ConversationsOfRequest,
  conversationsOfAnswerSchema,
  type HeadRequest,
  headAnswerSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';

/** What a gateway asks the directory-service. Never cached: rooms follow announcements instead. */
export interface DirectoryClient {
  /** With those of these login sessions that have ended. @throws AppError `UNAVAILABLE` */
  conversationsOf(
    userId: UserId,
    sessionIds: readonly string[],
  ): Promise<{ conversationIds: ConversationId[]; endedSessions: string[] }>;
  /** @throws AppError `NOT_FOUND` for an absent conversation or no member of it, `UNAVAILABLE` */
  lastSeq(conversationId: ConversationId, userId: UserId): Promise<number>;
  /** At most `ACTIVITY_CONVERSATIONS_MAX`. @throws AppError `UNAVAILABLE` */
  activity(conversationIds: ConversationId[]): Promise<ConversationActivity[]>;
}

export function createDirectoryClient(bus: EventBus): DirectoryClient {
  return {
    async conversationsOf(userId, sessionIds) {
      const request: ConversationsOfRequest = { userId, sessionIds: [...sessionIds] };
      const answer = await bus.request(subjects.conversationsOf, request);
      return conversationsOfAnswerSchema.parse(answer);
    },
    async lastSeq(conversationId, userId) {
      const request: HeadRequest = { conversationId, userId };
      return headAnswerSchema.parse(await bus.request(subjects.head, request)).lastSeq;
    },
    async activity(conversationIds) {
      const request: ActivityRequest = { conversationIds };
      const answer = await bus.request(subjects.activity, request);
      return activityAnswerSchema.parse(answer).conversations;
    },
  };
}
