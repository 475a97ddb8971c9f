import { z } from 'zod';
import { joinConversationSchema, leaveConversationSchema, typingSchema } from './conversation.ts';
import { errorCodeSchema, wireErrorSchema } from './errors.ts';
import { friendRequestEventSchema, friendRequestUpdateSchema } from './friendship.ts';
import { conversationIdSchema, isoTimestampSchema, messageIdSchema, userIdSchema } from './ids.ts';
import {
  markReadSchema,
  messageSchema,
  reactionSchema,
  sendMessageSchema,
  sendReactionSchema,
} from './message.ts';
import { onlineStatusSchema } from './presence.ts';
import { refreshTokenSchema } from './token.ts';

/*
 * Every event of Socket.IO with its schema: the types of `events.ts` are inferred from here, and
 * deploy/docs writes the AsyncAPI document from here. Imported by those alone: no process that
 * serves needs it.
 */

/** What a callback is given when its emit failed. */
export const failureSchema = z
  .object({ success: z.literal(false), error: wireErrorSchema })
  .meta({ id: 'Failure' });

/** Answered through the callback, which a client may leave out. */
function success<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ success: z.literal(true), ...shape });
}

/** What clients emit. `success` is null where there is no acknowledgement. */
export const clientEvents = {
  send_message: {
    description:
      'A message. Stored for certain once it was accepted; the same `clientMessageId` always gives the first stored message.',
    payload: sendMessageSchema,
    success: success({ message: messageSchema }),
  },
  typing: {
    description: 'The user types, or has stopped. Never stored; may be dropped under load.',
    payload: typingSchema,
    success: null,
  },
  join_conversation: {
    description:
      'Enters the room of a conversation. A socket is in all of its own rooms from the start: only after `leave_conversation` is this needed.',
    payload: joinConversationSchema,
    success: success({
      conversationId: conversationIdSchema,
      lastSeq: z.number().int().nonnegative(),
    }),
  },
  leave_conversation: {
    description: 'Leaves the room; the user stays a member.',
    payload: leaveConversationSchema,
    success: success({}),
  },
  mark_read: {
    description: 'Everything up to this message is read. `unread`: messages that are still unread.',
    payload: markReadSchema,
    success: success({ unread: z.number().int().nonnegative() }),
  },
  send_reaction: {
    description:
      'Chooses a reaction; the same type again takes it back, another one replaces it. `reactions`: all that the message has now.',
    payload: sendReactionSchema,
    success: success({ reactions: z.array(reactionSchema) }),
  },
  refresh_token: {
    description: 'Prolongs the connection with a newer access token of the same user.',
    payload: refreshTokenSchema,
    success: success({ expiresAt: isoTimestampSchema }),
  },
} as const satisfies Record<
  string,
  { description: string; payload: z.ZodType; success: z.ZodObject | null }
>;

export const chatErrorSchema = z.object({
  event: z.string(),
  ...wireErrorSchema.shape,
  conversationId: z.string().exactOptional(),
  clientMessageId: z.string().exactOptional(),
});

/** A user has read up to this message. Marks only go forward: of several, the greatest `seq` holds. */
export const messageReadUpdateSchema = z.object({
  conversationId: conversationIdSchema,
  userId: userIdSchema,
  messageId: messageIdSchema,
  seq: z.number(),
});

/** All reactions that the message has now, in the order in which they came. */
export const reactionUpdateSchema = z.object({
  conversationId: conversationIdSchema,
  messageId: messageIdSchema,
  reactions: z.array(reactionSchema),
});

/** What servers emit, and to whom. */
export const serverEvents = {
  message_sent_confirm: {
    description: 'The message is stored. To the socket that sent it.',
    payload: messageSchema,
  },
  receive_message: {
    description:
      "A message. To every other socket in the conversation's room, the sender's other devices included; with `ECHO_TO_SENDER=true` also to the sending socket.",
    payload: messageSchema,
  },
  typing: {
    description: 'A user types, or has stopped. To the other sockets in the room.',
    payload: z.object({
      conversationId: conversationIdSchema,
      userId: userIdSchema,
      isTyping: z.boolean(),
    }),
  },
  user_online_status: {
    description: "A friend came or went. To the user's friends who are connected.",
    payload: onlineStatusSchema,
  },
  presence_snapshot: {
    description: 'The friends who are online. To a socket that just connected.',
    payload: z.object({ online: z.array(userIdSchema) }),
  },
  friend_request: {
    description: 'Somebody wants to be a friend. To all sockets of the addressee.',
    payload: friendRequestEventSchema,
  },
  friend_request_update: {
    description: 'A request was answered. To all sockets of the requester.',
    payload: friendRequestUpdateSchema,
  },
  message_read_update: {
    description:
      'A user has read up to this message; of several marks the greatest `seq` holds. To the room.',
    payload: messageReadUpdateSchema,
  },
  reaction_update: {
    description: 'All reactions that a message has now. To the room.',
    payload: reactionUpdateSchema,
  },
  conversation_joined: {
    description: 'The user was added; its sockets are in the room. To all sockets of the user.',
    payload: z.object({ conversationId: conversationIdSchema }),
  },
  conversation_left: {
    description: 'The user was removed; its sockets have left. To all sockets of the user.',
    payload: z.object({ conversationId: conversationIdSchema }),
  },
  resync: {
    description:
      'Live events may have been missed: fetch what is missing, by `GET /sync` for instance. To the sockets that may have.',
    payload: z.object({ reason: z.string() }),
  },
  chat_error: {
    description: 'An emit without a callback failed. To the socket that emitted.',
    payload: chatErrorSchema,
  },
} as const satisfies Record<string, { description: string; payload: z.ZodType }>;

/** `data` of a `connect_error`: the handshake was refused. */
export const connectErrorDataSchema = z
  .object({ code: errorCodeSchema, retryable: z.boolean() })
  .meta({ id: 'ConnectErrorData' });
