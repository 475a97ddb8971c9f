import type { EventBus, Subscription } from '@bambochat/messaging';
import {
  type ActivityAnswer,
  AppError,
  activityRequestSchema,
  type ConversationsOfAnswer,
  conversationsOfRequestSchema,
  type HeadAnswer,
  headRequestSchema,
  notFound,
  subjects,
} from '@bambochat/protocol';
import type { DirectoryStore, MessageStore, SyncStore } from '@bambochat/stores';
import type { z } from 'zod';

const queue = 'directory-service';

/** What gateways ask. Always read from the store: nothing here can be stale. */
export function answerDirectoryRequests(deps: {
  bus: EventBus;
  directoryStore: Pick<DirectoryStore, 'areMembers' | 'membershipsOf' | 'session'>;
  messageStore: Pick<MessageStore, 'lastOf' | 'headPositions'>;
  syncStore: Pick<SyncStore, 'changedAt'>;
  conversationsPerUser: number;
}): Subscription[] {
  const { bus, directoryStore, messageStore, syncStore } = deps;
  return [
    bus.respond(
      subjects.conversationsOf,
      async (payload): Promise<ConversationsOfAnswer> => {
        const { userId, sessionIds = [] } = understood(conversationsOfRequestSchema, payload);
        const [memberships, sessions] = await Promise.all([
          directoryStore.membershipsOf(userId, deps.conversationsPerUser),
          Promise.all(sessionIds.map((id) => directoryStore.session(id))),
        ]);
        return {
          conversationIds: memberships.map(({ conversationId }) => conversationId),
          endedSessions: sessionIds.filter((_, index) => sessions[index]?.userId !== userId),
        };
      },
      { queue },
    ),
    bus.respond(
      subjects.head,
      async (payload): Promise<HeadAnswer> => {
        const { conversationId, userId } = understood(headRequestSchema, payload);
        const [member] = await directoryStore.areMembers([{ conversationId, userId }]);
        if (member !== true) {
          throw notFound('Conversation');
        }
        const newest = await messageStore.lastOf([conversationId]);
        return { lastSeq: newest.get(conversationId)?.seq ?? 0 };
      },
      { queue },
    ),
    bus.respond(
      subjects.activity,
      async (payload): Promise<ActivityAnswer> => {
        const { conversationIds } = understood(activityRequestSchema, payload);
        const [heads, changes] = await Promise.all([
          messageStore.headPositions(conversationIds),
          syncStore.changedAt(conversationIds),
        ]);
        const active = new Set([...heads.keys(), ...changes.keys()]);
        return {
          conversations: [...active].map((conversationId) => {
            const head = heads.get(conversationId);
            return {
              conversationId,
              lastSeq: head?.lastSeq ?? 0,
              messageAt: timeOf(head?.createdAt),
              changedAt: timeOf(changes.get(conversationId)),
            };
          }),
        };
      },
      { queue },
    ),
  ];
}

function timeOf(instant: string | undefined): number {
  return instant === undefined ? 0 : Date.parse(instant);
}

function understood<Schema extends z.ZodType>(schema: Schema, payload: unknown): z.infer<Schema> {
  const result = schema.safeParse(payload);
  if (!result.success) {
    throw new AppError('VALIDATION', 'The request is malformed', { cause: result.error });
  }
  return result.data;
}
