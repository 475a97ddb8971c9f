import { z } from 'zod';
import { wireErrorSchema } from './errors.ts';
import {
  clientMessageIdSchema,
  conversationIdSchema,
  gatewayIdSchema,
  messageIdSchema,
  userIdSchema,
  uuidV7Schema,
} from './ids.ts';
import { messageSchema, reactionSchema, reactionTypeSchema } from './message.ts';
import { contentSchema } from './text.ts';

/** The gateway's own name for a request; comes back in the result. */
const refSchema = z.string().max(64);

/**
 * One message on its way from a gateway to the message-service. `clientMessageId` is always there:
 * the gateway makes one (UUIDv7) when the client gave none, so that a redelivery finds the first
 * copy.
 */
export const messageRequestSchema = z.object({
  kind: z.literal('message'),
  conversationId: conversationIdSchema,
  senderId: userIdSchema,
  content: contentSchema,
  clientMessageId: clientMessageIdSchema,
  /** The sending socket, which gets the confirmation instead of `receive_message`. */
  socketId: z.string().max(64),
  ref: refSchema,
});
export type MessageRequest = z.infer<typeof messageRequestSchema>;

/** The user has read everything up to this message. */
export const readRequestSchema = z.object({
  kind: z.literal('read'),
  conversationId: conversationIdSchema,
  userId: userIdSchema,
  messageId: messageIdSchema,
  ref: refSchema,
});
export type ReadRequest = z.infer<typeof readRequestSchema>;

/**
 * The user chose a reaction: the one that stands is taken back, another one is replaced. The gateway
 * names the request, so that a redelivery does not toggle a second time.
 */
export const reactionRequestSchema = z.object({
  kind: z.literal('reaction'),
  conversationId: conversationIdSchema,
  messageId: messageIdSchema,
  userId: userIdSchema,
  reactionType: reactionTypeSchema,
  requestId: uuidV7Schema,
  ref: refSchema,
});
export type ReactionRequest = z.infer<typeof reactionRequestSchema>;

export const chatRequestSchema = z.discriminatedUnion('kind', [
  messageRequestSchema,
  readRequestSchema,
  reactionRequestSchema,
]);
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** How many requests one command may hold: bounds its size (64 × 16 KB < 1 MiB, NATS' default). */
export const REQUESTS_PER_COMMAND_MAX = 50;

/** A group commit of one gateway: requests of one partition, in the order they were accepted. */
export const chatRequestsCommandSchema = z.object({
  type: z.literal('chat_requests'),
  gatewayId: gatewayIdSchema,
  requests: z.array(chatRequestSchema).min(1).max(REQUESTS_PER_COMMAND_MAX),
});
export type ChatRequestsCommand = z.infer<typeof chatRequestsCommandSchema>;

/** What became of each request of a command, told to the gateway that asked. */
export const chatResultsSchema = z.object({
  /** When they were sent: milliseconds since the epoch, by the clock of who sent them. */
  sentAt: z.number().optional(),
  results: z.array(
    z.union([
      z.object({ ref: z.string(), message: messageSchema }),
      z.object({ ref: z.string(), unread: z.number().int().nonnegative() }),
      z.object({ ref: z.string(), reactions: z.array(reactionSchema) }),
      z.object({ ref: z.string(), error: wireErrorSchema }),
    ]),
  ),
});
export type ChatResults = z.infer<typeof chatResultsSchema>;
export type ChatResult = ChatResults['results'][number];

/**
 * `messages.conversation-of`: where a message is. The error `NOT_FOUND` when there is no such
 * message, or when the user is no member of its conversation.
 */
export const conversationOfRequestSchema = z.object({
  messageId: messageIdSchema,
  userId: userIdSchema,
});
export type ConversationOfRequest = z.infer<typeof conversationOfRequestSchema>;
export const conversationOfAnswerSchema = z.object({ conversationId: conversationIdSchema });
export type ConversationOfAnswer = z.infer<typeof conversationOfAnswerSchema>;
