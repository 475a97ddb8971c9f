import { z } from 'zod';
import { wireErrorSchema } from './errors.ts';
import { friendRequestEventSchema, friendRequestUpdateSchema } from './friendship.ts';
import { conversationIdSchema, userIdSchema } from './ids.ts';

/**
 * `directory.conversations-of`: every conversation of a user, and which of these login sessions
 * have ended.
 */
export const conversationsOfRequestSchema = z.object({
  userId: userIdSchema,
  sessionIds: z.array(z.string().min(1).max(64)).max(1000).optional(),
});
export type ConversationsOfRequest = z.infer<typeof conversationsOfRequestSchema>;
export const conversationsOfAnswerSchema = z.object({
  conversationIds: z.array(conversationIdSchema),
  endedSessions: z.array(z.string()),
});
export type ConversationsOfAnswer = z.infer<typeof conversationsOfAnswerSchema>;

/**
 * `directory.head`: the `seq` of the newest message, 0 when nothing was said yet. The error
 * `NOT_FOUND` when the user is no member of the conversation, or when there is none.
 */
export const headRequestSchema = z.object({
  conversationId: conversationIdSchema,
  userId: userIdSchema,
});
export type HeadRequest = z.infer<typeof headRequestSchema>;
export const headAnswerSchema = z.object({ lastSeq: z.number().int().nonnegative() });
export type HeadAnswer = z.infer<typeof headAnswerSchema>;

export const ACTIVITY_CONVERSATIONS_MAX = 500;

/**
 * `directory.activity`: of each conversation the newest message and when something else in it has
 * changed last (reactions, read marks, members). Those without messages and changes are left out.
 */
export const activityRequestSchema = z.object({
  conversationIds: z.array(conversationIdSchema).max(ACTIVITY_CONVERSATIONS_MAX),
});
export type ActivityRequest = z.infer<typeof activityRequestSchema>;
export const activityAnswerSchema = z.object({
  conversations: z.array(
    z.object({
      conversationId: conversationIdSchema,
      lastSeq: z.number().int().nonnegative(),
      /** Milliseconds since the epoch by the clock of who wrote; 0: never. */
      messageAt: z.number(),
      changedAt: z.number(),
    }),
  ),
});
export type ActivityAnswer = z.infer<typeof activityAnswerSchema>;
export type ConversationActivity = ActivityAnswer['conversations'][number];

/** `messages.live-events-lost`: in milliseconds since the epoch, and what a client may be told. */
export const liveEventsLostSchema = z.object({ since: z.number(), reason: z.string() });
export type LiveEventsLost = z.infer<typeof liveEventsLostSchema>;

/** `directory.session-ended`, to all gateways: its tokens are good no more. */
export const sessionEndedSchema = z.object({ userId: userIdSchema, sessionId: z.string() });
export type SessionEnded = z.infer<typeof sessionEndedSchema>;

/** Every reply on the bus: the answer, or the error in its place. */
export function replySchema<Answer extends z.ZodType>(answer: Answer) {
  return z.union([z.object({ ok: answer }), z.object({ error: wireErrorSchema })]);
}

/** `directory.members-changed`, to everyone who caches or acts on membership. */
export const membersChangedSchema = z.object({
  conversationId: conversationIdSchema,
  added: z.array(userIdSchema),
  removed: z.array(userIdSchema),
});
export type MembersChanged = z.infer<typeof membersChangedSchema>;

/** `directory.friend-events`, to all gateways: an event for all sockets of one user. */
export const friendEventSchema = z.discriminatedUnion('event', [
  z.object({
    to: userIdSchema,
    event: z.literal('friend_request'),
    payload: friendRequestEventSchema,
  }),
  z.object({
    to: userIdSchema,
    event: z.literal('friend_request_update'),
    payload: friendRequestUpdateSchema,
  }),
]);
export type FriendEvent = z.infer<typeof friendEventSchema>;
