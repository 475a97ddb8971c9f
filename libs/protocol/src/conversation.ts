import { z } from 'zod';
import { conversationIdSchema, isoTimestampSchema, userIdSchema } from './ids.ts';
import { conversationNameSchema } from './user.ts';

/** The largest group: what one membership change and one answer of the directory stay cheap for. */
export const PARTICIPANTS_MAX = 10_000;
/** How many users one request may add. */
export const PARTICIPANTS_PER_REQUEST_MAX = 1000;

export const conversationTypeSchema = z.enum(['direct_message', 'group']);
export type ConversationType = z.infer<typeof conversationTypeSchema>;

export const roleSchema = z.enum(['admin', 'member']);
export type Role = z.infer<typeof roleSchema>;

export const participantSchema = z.object({
  _id: userIdSchema,
  displayName: z.string(),
  avatar: z.string().nullable(),
  bio: z.string(),
  role: roleSchema,
});
export type Participant = z.infer<typeof participantSchema>;

export const lastMessageSchema = z.object({
  content: z.string(),
  senderId: userIdSchema,
  createdAt: isoTimestampSchema,
});
export type LastMessage = z.infer<typeof lastMessageSchema>;

export const conversationSchema = z
  .object({
    _id: conversationIdSchema,
    type: conversationTypeSchema,
    name: z.string().nullable(),
    participants: z.array(participantSchema),
    lastMessage: lastMessageSchema.nullable(),
    lastSeq: z.number().int().nonnegative(),
    unread: z.number().int().nonnegative(),
    createdAt: isoTimestampSchema,
    updatedAt: isoTimestampSchema,
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof conversationSchema>;

const participantIds = z.array(userIdSchema).min(1).max(PARTICIPANTS_PER_REQUEST_MAX);

export const createConversationSchema = z.object({
  type: conversationTypeSchema,
  name: conversationNameSchema.optional(),
  /** The creator may be left out. */
  participantIds,
});
export type CreateConversation = z.infer<typeof createConversationSchema>;

export const addParticipantsSchema = z.object({ participantIds });

export const joinConversationSchema = z.object({ conversationId: conversationIdSchema });
export const leaveConversationSchema = joinConversationSchema;

export const typingSchema = z.object({
  conversationId: conversationIdSchema,
  isTyping: z.boolean(),
});
export type Typing = z.infer<typeof typingSchema>;
