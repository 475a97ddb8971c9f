import { z } from 'zod';
import { conversationIdSchema, messageIdSchema } from './ids.ts';
import { messageSchema } from './message.ts';

export const PAGE_MAX = 200;

/** A place in a conversation: a `seq` (as in the query string, decimal) or a message `_id`. */
export const cursorSchema = z.union(
  [
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
    messageIdSchema,
  ],
  { error: 'must be a seq or a message _id' },
);
export type Cursor = z.infer<typeof cursorSchema>;

function limitOf(fallback: number) {
  return z.coerce.number().int().min(1).max(PAGE_MAX).default(fallback);
}

/** Query of `GET /messages`. */
export const messagesQuerySchema = z
  .object({
    conversationId: conversationIdSchema,
    before: cursorSchema.optional(),
    after: cursorSchema.optional(),
    limit: limitOf(50),
  })
  .refine((query) => query.before === undefined || query.after === undefined, {
    error: 'before and after exclude each other',
    path: ['after'],
  });
export type MessagesQuery = z.infer<typeof messagesQuerySchema>;

/** Answer of `GET /messages`: rising `seq`; `hasMore` looks in the direction of the cursor. */
export const messagesPageSchema = z.object({
  messages: z.array(messageSchema),
  hasMore: z.boolean(),
  lastSeq: z.number().int().nonnegative(),
});
export type MessagesPage = z.infer<typeof messagesPageSchema>;

/** Query of `GET /api/conversations/:id/messages`. */
export const conversationMessagesQuerySchema = z.object({
  cursor: messageIdSchema.optional(),
  limit: limitOf(20),
});
