import { z } from 'zod';
import { wireErrorSchema } from './errors.ts';
import {
  clientMessageIdSchema,
  conversationIdSchema,
  gatewayIdSchema,
  userIdSchema,
} from './ids.ts';
import { messageSchema } from './message.ts';
import { contentSchema } from './text.ts';

/**
 * One message on its way from a gateway to the message-service. `clientMessageId` is always there:
 * the gateway makes one (UUIDv7) when the client gave none, so that a redelivery finds the first
 * copy.
 */
export const messageRequestSchema = z.object({
  conversationId: conversationIdSchema,
  senderId: userIdSchema,
  content: contentSchema,
  clientMessageId: clientMessageIdSchema,
  /** The sending socket, which gets the confirmation instead of `receive_message`. */
  socketId: z.string().max(64),
  /** The gateway's own name for the request; comes back in the result. */
  ref: z.string().max(64),
});
export type MessageRequest = z.infer<typeof messageRequestSchema>;

/** How many messages one command may hold: bounds its size (64 × 16 KB < 1 MiB, NATS' default). */
export const MESSAGES_PER_COMMAND_MAX = 50;

/** A group commit of one gateway: messages of one partition, in the order they were accepted. */
export const sendMessagesCommandSchema = z.object({
  type: z.literal('send_messages'),
  gatewayId: gatewayIdSchema,
  messages: z.array(messageRequestSchema).min(1).max(MESSAGES_PER_COMMAND_MAX),
});
export type SendMessagesCommand = z.infer<typeof sendMessagesCommandSchema>;

/** What became of each message of a command, told to the gateway that asked. */
export const messageResultsSchema = z.object({
  results: z.array(
    z.union([
      z.object({ ref: z.string(), message: messageSchema }),
      z.object({ ref: z.string(), error: wireErrorSchema }),
    ]),
  ),
});
export type MessageResults = z.infer<typeof messageResultsSchema>;
export type MessageResult = MessageResults['results'][number];
