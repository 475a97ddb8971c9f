import { z } from 'zod';
import { countCharacters, wellFormedString } from './text.ts';

/** Chosen by the user: 1–50 characters of `[A-Za-z0-9_.-]`. */
export const userIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,50}$/, { error: 'must be 1 to 50 characters of A-Z a-z 0-9 _ . -' })
  .brand<'UserId'>();
export type UserId = z.infer<typeof userIdSchema>;

export const uuidV7Schema = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, {
    error: 'must be a UUIDv7 in lower case',
  });

export const conversationIdSchema = uuidV7Schema.brand<'ConversationId'>();
export type ConversationId = z.infer<typeof conversationIdSchema>;

/** Rises strictly with `seq` within one conversation. */
export const messageIdSchema = uuidV7Schema.brand<'MessageId'>();
export type MessageId = z.infer<typeof messageIdSchema>;

/** The sender's own name for a message, unique per sender and conversation: 1–64 characters. */
export const clientMessageIdSchema = wellFormedString
  .refine((id) => id.length <= 128 && countCharacters(id) <= 64, {
    error: 'must have at most 64 characters',
  })
  .refine((id) => id.length > 0, { error: 'must not be empty' })
  .meta({ minLength: 1, maxLength: 64 })
  .brand<'ClientMessageId'>();
export type ClientMessageId = z.infer<typeof clientMessageIdSchema>;

/** One socket-gateway process; part of a bus subject, hence the narrow alphabet. */
export const gatewayIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .brand<'GatewayId'>();
export type GatewayId = z.infer<typeof gatewayIdSchema>;

/** One presence-service process; part of a bus subject. */
export const presenceReplicaIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .brand<'PresenceReplicaId'>();
export type PresenceReplicaId = z.infer<typeof presenceReplicaIdSchema>;

export const isoTimestampSchema = z.iso.datetime({ precision: 3 });
