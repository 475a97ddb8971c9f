import { z } from 'zod';
import {
  clientMessageIdSchema,
  conversationIdSchema,
  isoTimestampSchema,
  messageIdSchema,
  userIdSchema,
} from './ids.ts';
import { contentSchema } from './text.ts';

export const reactionTypeSchema = z.enum(['like', 'love', 'haha', 'sad', 'angry']);
export type ReactionType = z.infer<typeof reactionTypeSchema>;

export const reactionSchema = z.object({ userId: userIdSchema, type: reactionTypeSchema });
export type Reaction = z.infer<typeof reactionSchema>;

/** A message as every client, store and service sees it. Times are ISO 8601 UTC with milliseconds. */
export const messageSchema = z
  .object({
    _id: messageIdSchema,
    conversationId: conversationIdSchema,
    seq: z.number().int().positive(),
    senderId: userIdSchema,
    content: z.string(),
    clientMessageId: clientMessageIdSchema,
    reactions: z.array(reactionSchema),
    createdAt: isoTimestampSchema,
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof messageSchema>;

export const sendMessageSchema = z.object({
  conversationId: conversationIdSchema,
  content: contentSchema,
  clientMessageId: clientMessageIdSchema.optional(),
});
export type SendMessage = z.infer<typeof sendMessageSchema>;

/** `mark_read`: everything up to this message is read. */
export const markReadSchema = z.object({
  conversationId: conversationIdSchema,
  messageId: messageIdSchema,
});
export type MarkRead = z.infer<typeof markReadSchema>;

/** `send_reaction`: the same type again takes it back, another one replaces it. */
export const sendReactionSchema = z.object({
  messageId: messageIdSchema,
  reactionType: reactionTypeSchema,
});
export type SendReaction = z.infer<typeof sendReactionSchema>;

/** How many users can react to one message; beyond: `CONFLICT`. */
export const REACTIONS_PER_MESSAGE_MAX = 1000;
