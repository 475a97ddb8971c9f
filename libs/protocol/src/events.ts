import type { z } from 'zod';
import type {
  chatErrorSchema,
  clientEvents,
  connectErrorDataSchema,
  failureSchema,
  messageReadUpdateSchema,
  reactionUpdateSchema,
  serverEvents,
} from './event-catalogue.ts';

/** What a callback is given when its emit failed. */
export type Failure = z.infer<typeof failureSchema>;

/** Payloads are unknown until a schema has looked at them: they come from outside. */
export type ClientToServerEvents = {
  [Name in keyof typeof clientEvents]: (typeof clientEvents)[Name]['success'] extends z.ZodType<
    infer Success
  >
    ? (payload: unknown, ack?: (answer: Success | Failure) => void) => void
    : (payload: unknown) => void;
};

export type ServerToClientEvents = {
  [Name in keyof typeof serverEvents]: (
    payload: z.infer<(typeof serverEvents)[Name]['payload']>,
  ) => void;
};

export type ChatErrorEvent = z.infer<typeof chatErrorSchema>;

/** A user has read up to this message. Marks only go forward: of several, the greatest `seq` holds. */
export type MessageReadUpdate = z.infer<typeof messageReadUpdateSchema>;

/** All reactions that the message has now, in the order in which they came. */
export type ReactionUpdate = z.infer<typeof reactionUpdateSchema>;

/** `data` of a `connect_error`. */
export type ConnectErrorData = z.infer<typeof connectErrorDataSchema>;
