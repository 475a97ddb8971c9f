import { z } from 'zod';
import { roleSchema } from './conversation.ts';
import { conversationIdSchema, messageIdSchema, userIdSchema } from './ids.ts';
import { messageSchema, reactionSchema } from './message.ts';

/** Messages in one answer. */
export const SYNC_LIMIT_MAX = 1000;
/** Characters of a token: it goes into a URL, and proxies take about 8,000 in all. */
export const SYNC_TOKEN_MAX = 7000;

/** Query of `GET /sync`. */
export const syncQuerySchema = z.object({
  since: z
    .string()
    .max(SYNC_TOKEN_MAX)
    .regex(/^[A-Za-z0-9_-]+$/, { error: 'must be a token of an earlier answer' })
    .optional(),
  limit: z.coerce.number().int().min(1).max(SYNC_LIMIT_MAX).default(500),
});
export type SyncQuery = z.infer<typeof syncQuerySchema>;

/** Who has read how far: up to this message, the first `seq` of them. */
export const readMarkSchema = z.object({
  userId: userIdSchema,
  messageId: messageIdSchema,
  seq: z.number().int().positive(),
});
export type ReadMark = z.infer<typeof readMarkSchema>;

/** One conversation with news. Everything is the state of now, not what happened. */
export const conversationNewsSchema = z
  .object({
    conversationId: conversationIdSchema,
    /** Rising `seq` without a gap, beginning behind what earlier answers gave. */
    messages: z.array(messageSchema),
    /** Of messages whose reactions may have changed, all that each has now. */
    reactions: z.array(
      z.object({ messageId: messageIdSchema, reactions: z.array(reactionSchema) }),
    ),
    /** Of users whose mark may have moved; of all when the conversation comes for the first time. */
    readMarks: z.array(readMarkSchema),
    /** Users whose membership or role may have changed. `role` is null for who is no member. */
    members: z.array(
      z.object({ userId: userIdSchema, member: z.boolean(), role: roleSchema.nullable() }),
    ),
    /**
     * Too much has changed to be named. `readMarks` and `members` are then the whole lists (`members`
     * without those who left), and `reactions` are those of the newest 200 messages; what is held of
     * older messages' reactions may be out of date.
     */
    reset: z.boolean(),
    lastSeq: z.number().int().nonnegative(),
    unread: z.number().int().nonnegative(),
  })
  .meta({ id: 'ConversationNews' });
export type ConversationNews = z.infer<typeof conversationNewsSchema>;

/** Answer of `GET /sync`. */
export const syncAnswerSchema = z.object({
  conversations: z.array(conversationNewsSchema),
  /** Conversations that earlier answers gave and that the user is no member of any more. */
  left: z.array(conversationIdSchema),
  /** For the next call. */
  token: z.string(),
  /** Ask again at once, with this token. */
  hasMore: z.boolean(),
});
export type SyncAnswer = z.infer<typeof syncAnswerSchema>;
